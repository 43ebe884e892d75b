"""Teaches what the face in view shows, waits for the end of the lesson, and saves the weights.

./fer exec python3 examples/teach_and_save.py smile my_smile
"""

import sys
import time
from typing import Any

import rclpy
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter

from fer_interfaces.srv import LearningReport, SaveWeights, Teach


def call(node: Node, kind: Any, service: str, request: Any) -> Any:
    """Call a service of the snn node and return its response."""
    client = node.create_client(kind, service)
    if not client.wait_for_service(timeout_sec=10.0):
        sys.exit(f"{service} is not there: start the graph with ./fer up")
    future = client.call_async(request)
    rclpy.spin_until_future_complete(node, future)
    response = future.result()
    if not getattr(response, "success", True):
        sys.exit(f"{service}: {response.message}")
    return response


label, name = sys.argv[1:]
rclpy.init()
node = rclpy.create_node("teacher")
learning = Parameter("learning", value="supervised").to_parameter_msg()
call(node, SetParameters, "/fer/snn/set_parameters", SetParameters.Request(parameters=[learning]))
print(call(node, Teach, "/fer/teach", Teach.Request(label=label, duration=1.0)).message)
while call(node, LearningReport, "/fer/learning_report", LearningReport.Request()).teaching:
    time.sleep(0.1)
print(call(node, SaveWeights, "/fer/save_weights", SaveWeights.Request(name=name)).message)
