"""Owns the models of what each side is told of the other: typing, there, received and read."""

from pydantic import BaseModel, Field

from botkit.server.http.models import LARGEST, In


class Typing(In):
    """Somebody types, or has stopped."""

    on: bool = True


class Seen(In):
    """How far somebody has come in the conversation."""

    seq: int = Field(ge=0, le=LARGEST, description="The last event that has arrived.")
    read: bool = Field(True, description="Whether it was also shown to somebody who looks.")


class Signals(BaseModel):
    """The other side of the conversation. `delivered` and `read` are the last `seq` that arrived there and was read;
    for a customer they are of the agent in charge, and empty while there is none."""

    typing: bool
    online: bool
    delivered: int
    read: int
