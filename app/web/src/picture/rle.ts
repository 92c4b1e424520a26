// COCO's compressed run-length masks: decoded to run ends once, asked for single pixels and small crops after.

import type { Box, Rle } from "../api/types";

/** A mask as the ends of its runs, column by column; runs alternate, starting outside. */
export interface Mask {
  height: number;
  width: number;
  ends: Uint32Array;
}

export function decodeRle({ size, counts }: Rle): Mask {
  const lengths: number[] = [];
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more && at < counts.length) {
      const code = counts.charCodeAt(at) - 48;
      at += 1;
      value |= (code & 31) << shift;
      shift += 5;
      more = (code & 32) !== 0;
      if (!more && code & 16) value |= -1 << shift;
    }
    // From the fourth run on, a run is stored as the difference to the one before the last.
    if (lengths.length > 2) value += lengths[lengths.length - 2]!;
    lengths.push(value);
  }
  const ends = new Uint32Array(lengths.length);
  let sum = 0;
  lengths.forEach((length, index) => { ends[index] = sum += length; });
  return { height: size[0], width: size[1], ends };
}

function runAt(ends: Uint32Array, position: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** True if the pixel (x, y) belongs to the mask. */
export function contains(mask: Mask, x: number, y: number): boolean {
  if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) return false;
  return runAt(mask.ends, Math.floor(x) * mask.height + Math.floor(y)) % 2 === 1;
}

/** A part of a mask: one byte a pixel, 0 or 255, row by row. */
export interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
  alpha: Uint8Array;
}

/** Rasterise the part of the mask in a box; null where the box has no pixel of the picture. */
export function cropOf(mask: Mask, [left, top, right, bottom]: Box): Crop | null {
  const x = Math.max(0, Math.floor(left));
  const y = Math.max(0, Math.floor(top));
  const width = Math.min(mask.width, Math.ceil(right)) - x;
  const height = Math.min(mask.height, Math.ceil(bottom)) - y;
  if (width <= 0 || height <= 0) return null;
  const alpha = new Uint8Array(width * height);
  for (let column = 0; column < width; column += 1) {
    const start = (x + column) * mask.height + y;
    const stop = start + height;
    for (let run = runAt(mask.ends, start), at = start; at < stop && run < mask.ends.length; run += 1) {
      const end = Math.min(mask.ends[run]!, stop);
      if (run % 2 === 1) for (let pixel = at; pixel < end; pixel += 1) alpha[(pixel - start) * width + column] = 255;
      at = end;
    }
  }
  return { x, y, width, height, alpha };
}
