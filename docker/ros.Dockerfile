# fer on ROS 2, as a robot has it.
#   docker build -f docker/ros.Dockerfile --build-arg ROS_DISTRO=jazzy -t fer:jazzy .
#   docker run --rm -it --network host --ipc host --device /dev/video0 fer:jazzy
ARG ROS_DISTRO=jazzy
FROM ros:${ROS_DISTRO}-ros-base AS tools
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /ws

FROM tools
COPY . src/fer
# Nothing that only the tests need.
RUN apt-get update \
    && rosdep update --rosdistro "$ROS_DISTRO" \
    && rosdep install --from-paths src -iy -t buildtool -t build -t exec \
    && rm -rf /var/lib/apt/lists/*
RUN source "/opt/ros/$ROS_DISTRO/setup.bash" \
    && colcon build --cmake-args -DBUILD_TESTING=OFF
# ros2 launch ends its nodes on SIGINT; on SIGTERM it leaves them.
STOPSIGNAL SIGINT
CMD ["bash", "-c", "source install/setup.bash && exec ros2 launch fer bringup.launch.py"]
