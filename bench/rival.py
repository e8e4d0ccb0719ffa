# mypy: ignore-errors
"""What the tool is measured against: a tool made of pylti1p3, Flask and boto3, written the way their users do.

Its choices are the thrifty ones where its users differ: a boto3 client rather than boto3's Table (which is measured
beside it in a warm process), platform keys kept in the storage rather than fetched for each launch, one registration in
memory rather than in a table, no logging, no metrics, and no adapter between API Gateway's events and WSGI.
"""

import json
import os
import time
from copy import copy
from typing import Any

import boto3
from botocore.config import Config
from flask import Flask
from pylti1p3.contrib.flask import FlaskMessageLaunch, FlaskOIDCLogin, FlaskRequest
from pylti1p3.launch_data_storage.base import LaunchDataStorage
from pylti1p3.tool_config import ToolConfDict

CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


class DynamoDBStorage(LaunchDataStorage):
    """State, nonce and launch data: one item each, as JSON text, with a time to live."""

    def __init__(self, table):
        super().__init__()
        self._client = boto3.client("dynamodb", config=CONFIG)
        self._table = table

    def can_set_keys_expiration(self):
        return True

    def get_value(self, key):
        found = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": self._prepare_key(key)}}, ConsistentRead=True
        ).get("Item")
        if found is None or int(found["expires_at"]["N"]) <= time.time():
            return None
        return json.loads(found["value"]["S"])

    def set_value(self, key, value, exp=None):
        item = {
            "pk": {"S": self._prepare_key(key)},
            "value": {"S": json.dumps(value)},
            "expires_at": {"N": str(int(time.time()) + (exp or 86400))},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def check_value(self, key):
        return self.get_value(key) is not None


class TableStorage(DynamoDBStorage):
    """The same on boto3's Table, as most examples have it."""

    def __init__(self, table):
        super().__init__(table)
        self._items = boto3.resource("dynamodb", config=CONFIG).Table(table)

    def get_value(self, key):
        found = self._items.get_item(Key={"pk": self._prepare_key(key)}, ConsistentRead=True).get("Item")
        return None if found is None or found["expires_at"] <= time.time() else json.loads(found["value"])

    def set_value(self, key, value, exp=None):
        expires_at = int(time.time()) + (exp or 86400)
        self._items.put_item(Item={"pk": self._prepare_key(key), "value": json.dumps(value), "expires_at": expires_at})


def make_app(table: str, configuration: dict[str, Any], storage: type[LaunchDataStorage] = DynamoDBStorage) -> Flask:
    """A Flask app with `/login` and `/launch`; its clients have the time-outs that ours have."""
    made = storage(table)
    tool_configuration = ToolConfDict(configuration)
    app = Flask(__name__)

    @app.route("/login", methods=["GET", "POST"])
    def login():
        request = FlaskRequest()
        oidc_login = FlaskOIDCLogin(request, tool_configuration, launch_data_storage=copy(made))
        return oidc_login.redirect("https://tool.example/launch")

    @app.route("/launch", methods=["POST"])
    def launch():
        message = FlaskMessageLaunch(FlaskRequest(), tool_configuration, launch_data_storage=copy(made))
        message.set_public_key_caching(copy(made), cache_lifetime=7200)
        data = message.get_launch_data()
        return f"<!doctype html><title>Launch</title><p>{message.get_launch_id()} {data['sub']}</p>"

    return app


def lambda_handler(event, context):
    """There so that the runtime client finds a handler; start-up is measured, no event is sent."""


if "BENCH_RIVAL_STARTS" in os.environ:
    app = make_app(os.environ["LAUNCHES_TABLE"], json.loads(os.environ["BENCH_RIVAL_STARTS"]))
