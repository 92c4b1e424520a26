// What a pointer does on the picture in the editor: choose, draw a box, set a point, draw a stroke, cut. Drawn as it is made.

import type { Box, Point } from "../../api/types";
import type { Tool } from "../../picture/gestures";
import type { Layer, Viewer } from "../../picture/viewer";
import type { Editor } from "./store";

export type ToolName = "choose" | "box" | "point" | "stroke" | "cut";

export const TOOLS: { name: ToolName; key: string; title: string; hint: string }[] = [
  { name: "choose", key: "v", title: "Choose", hint: "Click marks; with Shift several." },
  { name: "box", key: "b", title: "Box", hint: "Drag a box round something." },
  { name: "point", key: "p", title: "Point", hint: "Click on something." },
  { name: "stroke", key: "s", title: "Stroke", hint: "Draw along something." },
  { name: "cut", key: "x", title: "Cut", hint: "Draw a line across the chosen mark." },
];

const SMALLEST_BOX_PX = 3;

const boxOf = ([x0, y0]: Point, [x1, y1]: Point): Box => [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
const round = (box: Box): Box => box.map((side) => Math.round(side)) as Box;

/** The path of the pointer while it is down; drawn above the picture until the edit is there. */
export class Drawing {
  private path: Point[] = [];

  constructor(private readonly editor: Editor, private readonly name: ToolName, private readonly redraw: () => void) {}

  readonly tool: Tool = {
    down: (point) => {
      // Dragging with this one moves the picture.
      if (this.name === "choose") return false;
      if (this.editor.busy.value) return false;
      this.path = [point];
      this.redraw();
      return true;
    },
    click: (mark, event) => {
      const several = event.shiftKey || event.ctrlKey || event.metaKey;
      if (mark) this.editor.choose(mark.id, several);
      else if (!several) this.editor.chosen.value = new Set();
    },
    move: (point) => {
      this.path = this.name === "box" ? [this.path[0]!, point] : [...this.path, point];
      this.redraw();
    },
    up: (point) => {
      const path = [...this.path, point];
      void this.finish(path).finally(() => this.tool.cancel());
    },
    cancel: () => {
      this.path = [];
      this.redraw();
    },
  };

  private async finish(path: Point[]): Promise<void> {
    const [first, last] = [path[0]!, path.at(-1)!];
    if (this.name === "point") await this.editor.add({ point_xy_px: last });
    else if (this.name === "stroke") await this.editor.add(path.length > 2 ? { stroke_px: path } : { point_xy_px: last });
    else if (this.name === "cut" && path.length > 2) await this.editor.split(path);
    else if (this.name === "box") {
      const box = round(boxOf(first, last));
      if (box[2] - box[0] >= SMALLEST_BOX_PX && box[3] - box[1] >= SMALLEST_BOX_PX) await this.editor.add({ bbox_xyxy_px: box });
    }
  }

  readonly layer: Layer = (context: CanvasRenderingContext2D, viewer: Viewer) => {
    if (!this.path.length) return;
    const places = this.path.map((point) => viewer.toStage(point));
    const [[x, y], [endX, endY]] = [places[0]!, places.at(-1)!];
    for (const [width, color] of [[5, "rgb(10 14 20 / 0.75)"], [2.5, this.name === "cut" ? "#ff5d73" : "#2dd4bf"]] as const) {
      Object.assign(context, { lineWidth: width, strokeStyle: color, lineCap: "round", lineJoin: "round" });
      context.beginPath();
      if (this.name === "box") context.rect(x, y, endX - x, endY - y);
      else if (this.name === "point") context.arc(endX, endY, 6, 0, 2 * Math.PI);
      else places.forEach(([left, top], index) => (index ? context.lineTo(left, top) : context.moveTo(left, top)));
      context.stroke();
    }
  };
}
