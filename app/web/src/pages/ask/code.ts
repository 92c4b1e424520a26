// The same requests as the page makes, as code: curl, our Python client, OpenAI's client. A key is never written out.

import { hasKey } from "../../api/http";
import type { Question, Settings } from "./store";

const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const python = (value: unknown): string => JSON.stringify(value).replace(/\bnull\b/g, "None").replace(/\btrue\b/g, "True").replace(/\bfalse\b/g, "False");

function command(path: string, parts: string[]): string {
  const key = hasKey() ? ['-H "Authorization: Bearer $MARKWISE_KEY"'] : [];
  return [`curl -sS ${location.origin}${path}`, ...key, ...parts].join(" \\\n  ");
}

const given = (settings: Settings): [string, unknown][] =>
  Object.entries(settings).filter(([name, value]) => value !== null && !(name === "segmenter" && value === "auto") && !(name === "style" && value === "markwise"));

/** Everything there is to say a request with. */
export interface Said {
  fileName: string;
  settings: Settings;
  /** Null: only mark. */
  question: Question | null;
  body: Record<string, unknown>;
}

export function curl({ fileName, settings, question, body }: Said): string {
  if (question) return command("/v1/ground", ["-H 'Content-Type: application/json'", `-d ${shell(JSON.stringify(body))}`]);
  return command("/v1/marksets?include=masks", [`-F ${shell(`file=@${fileName}`)}`, ...given(settings).map(([name, value]) => `-F ${shell(`${name}=${String(value)}`)}`)]);
}

function client(): string {
  const key = hasKey() ? "  # the key is read from MARKWISE_KEY" : "";
  return `from markwise import Client\n\nclient = Client(${python(location.origin)})${key}\n`;
}

export function pythonClient({ fileName, settings, question, body }: Said): string {
  if (!question) {
    const options = given(settings).map(([name, value]) => `, ${name}=${python(value)}`).join("");
    return `${client()}marks = client.mark(${python(fileName)}${options})\nfor mark in marks.marks:\n    print(mark.id, mark.text, mark.bbox_xyxy_px)\n`;
  }
  const { query = "", choices, target_mark_set_id: target } = body;
  const marks = Object.fromEntries(given(settings));
  const options: [string, unknown][] = [["task", question.task], ["choices", choices], ["target", target], ["marks", Object.keys(marks).length ? marks : undefined]];
  const rest = options.filter(([, value]) => value !== undefined).map(([name, value]) => `, ${name}=${python(value)}`).join("");
  return `${client()}answer = client.ground(${python(fileName)}, ${python(query)}${rest})\nprint(answer.text)\nfor mark in answer.marks:\n    print(mark.id, mark.point_xy_px)\n`;
}

export function openaiClient({ fileName, question }: Said): string {
  const key = hasKey() ? 'os.environ["MARKWISE_KEY"]' : '"none"';
  return `import base64${hasKey() ? ", os" : ""}
from openai import OpenAI

client = OpenAI(base_url=${python(`${location.origin}/v1`)}, api_key=${key})
with open(${python(fileName)}, "rb") as file:
    data = base64.b64encode(file.read()).decode()
picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
question = {"type": "text", "text": ${python(question?.query || "List the marked items one by one.")}}
reply = client.chat.completions.create(model="markwise", messages=[{"role": "user", "content": [picture, question]}])
print(reply.choices[0].message.content)
for mark in reply.markwise["marks"]:
    print(mark["id"], mark["point_xy_px"])
`;
}
