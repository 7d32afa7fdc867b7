"""The reference for publishing with confirms from Python.

    pika_publish.py PORT QUEUE COUNT SIZE
"""
import sys

import pika

port, queue, count, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
channel = connection.channel()
channel.queue_declare(queue, durable=True)
channel.confirm_delivery()
properties = pika.BasicProperties(delivery_mode=2)
body = b"." * size
for _ in range(count):
    channel.basic_publish("", queue, body, properties, mandatory=True)
connection.close()
