// Draws on the canvas above the picture: region silhouettes, outlines of constant width, tags and the crosshair.

import type { Box } from "../api/types";
import { cropOf, type Mask } from "./rle";

const scratch = document.createElement("canvas");
const INK = "rgb(10 14 20 / 0.75)";
// A region larger than this is drawn from a smaller silhouette: a 4K region as it is costs 33 MB and a frame.
const LARGEST_SIDE_PX = 1600;

/** A region as an opaque shape, and the box of the picture that it fills. */
export interface Silhouette {
  shape: HTMLCanvasElement;
  box: Box;
}

export type Place = [x: number, y: number, width: number, height: number];

function blank(width: number, height: number): HTMLCanvasElement {
  return Object.assign(document.createElement("canvas"), { width: Math.max(1, width), height: Math.max(1, height) });
}

/** The silhouette of a mask, or of its box where there is none. */
export function silhouette(mask: Mask | null, box: Box): Silhouette | null {
  if (mask === null) {
    const shape = blank(1, 1);
    shape.getContext("2d")!.fillRect(0, 0, 1, 1);
    return { shape, box };
  }
  const crop = cropOf(mask, box);
  if (crop === null) return null;
  const shape = blank(crop.width, crop.height);
  const pixels = new ImageData(crop.width, crop.height);
  for (let i = 0; i < crop.alpha.length; i += 1) pixels.data[4 * i + 3] = crop.alpha[i]!;
  shape.getContext("2d")!.putImageData(pixels, 0, 0);
  return { shape: smaller(shape), box: [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height] };
}

function smaller(shape: HTMLCanvasElement): HTMLCanvasElement {
  const share = LARGEST_SIDE_PX / Math.max(shape.width, shape.height);
  if (share >= 1) return shape;
  const reduced = blank(Math.round(shape.width * share), Math.round(shape.height * share));
  reduced.getContext("2d")!.drawImage(shape, 0, 0, reduced.width, reduced.height);
  return reduced;
}

function ring(context: CanvasRenderingContext2D, shape: CanvasImageSource, [x, y, width, height]: Place, reach: number, color: string, ratio: number): void {
  const margin = Math.ceil(reach) + 1;
  scratch.width = Math.ceil((width + 2 * margin) * ratio);
  scratch.height = Math.ceil((height + 2 * margin) * ratio);
  const pen = scratch.getContext("2d")!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (let turn = 0; turn < 12; turn += 1) {
    const angle = (turn * Math.PI) / 6;
    pen.drawImage(shape, margin + reach * Math.cos(angle), margin + reach * Math.sin(angle), width, height);
  }
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = color;
  pen.fillRect(0, 0, width + 2 * margin, height + 2 * margin);
  pen.globalCompositeOperation = "destination-out";
  pen.drawImage(shape, margin, margin, width, height);
  context.drawImage(scratch, x - margin, y - margin, scratch.width / ratio, scratch.height / ratio);
}

/** Outline a shape that is drawn at `at`: a coloured line in a dark rim, on any background. */
export function outline(context: CanvasRenderingContext2D, shape: CanvasImageSource, at: Place, color: string, ratio: number): void {
  // A region that is zoomed far beyond the window is outlined by its box: the ring's canvas would be larger than the screen many times.
  if (Math.max(at[2], at[3]) * ratio > 6000) {
    Object.assign(context, { lineWidth: 3, strokeStyle: color });
    context.strokeRect(...at);
    return;
  }
  ring(context, shape, at, 4, INK, ratio);
  ring(context, shape, at, 2.75, color, ratio);
}

/** Write a mark's id over its painted label, never smaller than is readable, with the line to its region. */
export function drawTag(context: CanvasRenderingContext2D, id: string, { box: [left, top, right, bottom], leader }: { box: Box; leader: Box | null },
  color: string, room: { width: number; height: number }): void {
  if (right < 0 || bottom < 0 || left > room.width || top > room.height) return;
  if (leader) {
    for (const [width, stroke] of [[4, INK], [2, color]] as const) {
      Object.assign(context, { lineWidth: width, strokeStyle: stroke });
      context.beginPath();
      context.moveTo(leader[0], leader[1]);
      context.lineTo(leader[2], leader[3]);
      context.stroke();
    }
  }
  const height = Math.min(40, Math.max(18, bottom - top));
  context.font = `600 ${Math.round(height * 0.7)}px system-ui, sans-serif`;
  const width = Math.max(right - left, context.measureText(id).width + height * 0.5);
  const within = (middle: number, length: number, space: number) => Math.min(Math.max(middle - length / 2, 2), space - length - 2);
  const x = within((left + right) / 2, width, room.width);
  const y = within((top + bottom) / 2, height, room.height);
  Object.assign(context, { fillStyle: color, strokeStyle: INK, lineWidth: 1 });
  context.beginPath();
  context.roundRect(x, y, width, height, 5);
  context.fill();
  context.stroke();
  Object.assign(context, { fillStyle: "#10151c", textAlign: "center", textBaseline: "middle" });
  context.fillText(id, x + width / 2, y + height / 2 + 0.5);
}

/** Aim at the point of an action. */
export function drawCrosshair(context: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  for (const [width, stroke] of [[6, INK], [3, color]] as const) {
    Object.assign(context, { lineWidth: width, strokeStyle: stroke, lineCap: "round" });
    context.beginPath();
    context.arc(x, y, 13, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      context.moveTo(x + 7 * dx, y + 7 * dy);
      context.lineTo(x + 22 * dx, y + 22 * dy);
    }
    context.stroke();
  }
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, 2.5, 0, 2 * Math.PI);
  context.fill();
}
