"""moto's server in this process, on its own port, with authorisation."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import botocore.session
import moto.settings
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.s3.models import S3Backend, s3_backends
from moto.server import ThreadedMotoServer
from yarl import URL

from ..aws_keys import ACCOUNT, REGION

ANYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


class MotoServer:
    """Its methods block."""

    def __init__(self, buckets: Sequence[str]) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._buckets = buckets
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.origin = URL(f"http://{host}:{port}")
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = math.inf
        self._credentials = self._make_user()
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        self.clear()

    @property
    def backend(self) -> S3Backend:
        return s3_backends[ACCOUNT]["aws"]

    def sign(self, method: str, url: URL, headers: Mapping[str, str], body: bytes) -> AWSRequest:
        request = AWSRequest(method, str(url), dict(headers), data=body)
        S3SigV4Auth(self._credentials, "s3", REGION).add_auth(request)
        return request

    def has_bucket(self, bucket: str) -> bool:
        return bucket in self._buckets

    def has_upload(self, bucket: str, upload: str) -> bool:
        return upload in self.backend.get_bucket(bucket).multiparts

    def has_token(self, token: str) -> bool:
        """Whether a list returned it; moto answers 500 to any other."""
        return token in self.backend._pagination_tokens

    def clear(self) -> None:
        self.backend.reset()
        for bucket in self._buckets:
            self.backend.create_bucket(bucket, REGION)

    def stop(self) -> None:
        self._server.stop()

    def _make_user(self) -> Credentials:
        """Called before authorisation is on."""
        iam: Any = botocore.session.get_session().create_client(
            "iam",
            region_name=REGION,
            endpoint_url=str(self.origin),
            aws_access_key_id="before",
            aws_secret_access_key="authorisation",
        )
        # A user of its own: an earlier server in this process has left one.
        user = f"front-{self.origin.port}"
        iam.create_user(UserName=user)
        iam.put_user_policy(
            UserName=user, PolicyName="anything", PolicyDocument=json.dumps(ANYTHING)
        )
        key = iam.create_access_key(UserName=user)["AccessKey"]
        iam.close()
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])
