# Read into the build of fer_interfaces by ./fer on machines without ROS: compiles the generated C++
# sources of each type support library together, which takes 40 % less time. The C sources define
# the same static names in every file, so they stay apart.
function(fer_join_sources)
  get_directory_property(targets BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    if(target MATCHES "typesupport_(fastrtps_c|fastrtps_cpp|introspection_cpp|cpp|c)$")
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
    endif()
  endforeach()
endfunction()

cmake_language(DEFER CALL fer_join_sources)
