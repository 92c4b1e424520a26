// Draws on the canvas above the picture: region silhouettes, outlines of constant width, tags and the crosshair.

import { cropOf } from "./rle.js";

const scratch = document.createElement("canvas");
const INK = "rgb(10 14 20 / 0.75)";

/** The region as an opaque shape at picture resolution with its place: {shape, x, y}; a box where there is no mask. */
export function silhouette(mask, box) {
  const shape = document.createElement("canvas");
  if (mask === null) {
    const [left, top, right, bottom] = box;
    Object.assign(shape, { width: Math.max(1, right - left), height: Math.max(1, bottom - top) });
    shape.getContext("2d").fillRect(0, 0, shape.width, shape.height);
    return { shape, x: left, y: top };
  }
  const crop = cropOf(mask, box);
  if (crop === null) return null;
  Object.assign(shape, { width: crop.width, height: crop.height });
  const pixels = new ImageData(crop.width, crop.height);
  for (let i = 0; i < crop.alpha.length; i += 1) pixels.data[4 * i + 3] = crop.alpha[i];
  shape.getContext("2d").putImageData(pixels, 0, 0);
  return { shape, x: crop.x, y: crop.y };
}

function ring(context, shape, [x, y, width, height], reach, color, ratio) {
  const margin = Math.ceil(reach) + 1;
  scratch.width = Math.ceil((width + 2 * margin) * ratio);
  scratch.height = Math.ceil((height + 2 * margin) * ratio);
  const pen = scratch.getContext("2d");
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

/** Outline a shape that is drawn at `at` [x, y, width, height]: a coloured line in a dark rim, on any background. */
export function outline(context, shape, at, color, ratio) {
  // A canvas has a largest size; a region that is zoomed beyond it is outlined by its box.
  if (Math.max(at[2], at[3]) * ratio > 6000) {
    Object.assign(context, { lineWidth: 3, strokeStyle: color });
    context.strokeRect(...at);
    return;
  }
  ring(context, shape, at, 4, INK, ratio);
  ring(context, shape, at, 2.75, color, ratio);
}

/** Write a mark's id over its painted label, never smaller than is readable, with the line to its region. */
export function drawTag(context, id, { box: [left, top, right, bottom], leader }, color, stage) {
  if (right < 0 || bottom < 0 || left > stage.clientWidth || top > stage.clientHeight) return;
  if (leader) {
    for (const [width, stroke] of [[4, INK], [2, color]]) {
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
  const within = (middle, length, room) => Math.min(Math.max(middle - length / 2, 2), room - length - 2);
  const x = within((left + right) / 2, width, stage.clientWidth);
  const y = within((top + bottom) / 2, height, stage.clientHeight);
  context.fillStyle = color;
  context.strokeStyle = INK;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x, y, width, height, 5);
  context.fill();
  context.stroke();
  context.fillStyle = "#10151c";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(id, x + width / 2, y + height / 2 + 0.5);
}

/** Aim at the point of an action. */
export function drawCrosshair(context, x, y, color) {
  for (const [width, stroke] of [[6, INK], [3, color]]) {
    Object.assign(context, { lineWidth: width, strokeStyle: stroke, lineCap: "round" });
    context.beginPath();
    context.arc(x, y, 13, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
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
