"""OpenAI's own client, another address: python openai_client.py screenshot.png "Which mark is the search box?"

The picture is marked on the way in; the answer's text names marks, and `markwise` beside it says what they are.
"""

import argparse
import base64
import mimetypes
import os
import sys
from pathlib import Path

from openai import OpenAI, OpenAIError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("question")
    parser.add_argument("--model", default="markwise", help="what is deployed, or a name of /v1/models")
    given = parser.parse_args()
    if not given.image.is_file():
        parser.error(f"{given.image} is no file")

    server = os.environ.get("MARKWISE_SERVER", "http://127.0.0.1:8000")
    client = OpenAI(base_url=f"{server}/v1", api_key=os.environ.get("MARKWISE_KEY", "none"))
    kind = mimetypes.guess_type(given.image.name)[0] or "image/png"
    data = base64.b64encode(given.image.read_bytes()).decode()
    content = [
        {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}},
        {"type": "text", "text": given.question},
    ]
    reply = client.chat.completions.create(model=given.model, messages=[{"role": "user", "content": content}])
    print(reply.choices[0].message.content)
    for mark in reply.markwise["marks"]:
        print(
            f"mark {mark['id']}: point {mark['point_xy_px']}, box {mark['bbox_xyxy_px']}, {mark['text'] or mark['role']}"
        )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OpenAIError as error:
        sys.exit(str(error))
