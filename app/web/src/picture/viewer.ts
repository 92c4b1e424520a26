// The picture: where it lies in the stage, which mark lies at a point, and the light on the regions in focus.
// Works on the DOM directly: panning and hovering change every frame, and no component is rendered for it.

import { effect } from "@preact/signals";
import type { Box, Mark, Point } from "../api/types";
import type { Focus } from "./focus";
import { drawCrosshair, drawTag, outline, type Place, type Silhouette, silhouette } from "./light";
import { contains, decodeRle, type Mask } from "./rle";

const MARGIN = 12;
const LARGEST_SCALE = 32;

export interface Size {
  width: number;
  height: number;
}

interface Region {
  mark: Mark;
  /** Undefined until it is first asked for. */
  mask: Mask | null | undefined;
  silhouette: Silhouette | null | undefined;
}

export interface Nodes {
  stage: HTMLElement;
  world: HTMLElement;
  image: HTMLImageElement;
  canvas: HTMLCanvasElement;
}

/** Draws something of its own above the light, such as what an editor is about to make. */
export type Layer = (context: CanvasRenderingContext2D, viewer: Viewer) => void;

export class Viewer {
  readonly stage: HTMLElement;
  readonly focus: Focus;
  size: Size | null = null;
  fitted = true;
  scale = 1;
  x = 0;
  y = 0;
  layer: Layer | null = null;
  private readonly world: HTMLElement;
  private readonly image: HTMLImageElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly colors: CSSStyleDeclaration;
  private readonly stops: (() => void)[];
  private regions: Region[] = [];
  private fitScale = 1;
  private frame: number | null = null;

  constructor({ stage, world, image, canvas }: Nodes, focus: Focus) {
    this.stage = stage;
    this.world = world;
    this.image = image;
    this.canvas = canvas;
    this.focus = focus;
    this.context = canvas.getContext("2d")!;
    this.colors = getComputedStyle(stage);
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(stage);
    this.stops = [
      () => observer.disconnect(),
      effect(() => {
        void [focus.hovered.value, focus.pinned.value, focus.named.value, focus.action.value];
        this.redraw();
      }),
    ];
  }

  /** Let go of what it listens to. */
  stop(): void {
    for (const stop of this.stops) stop();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
  }

  /** Show pixels that have no marks yet, such as the file that is being sent; false if the browser cannot. */
  async preview(url: string): Promise<boolean> {
    this.setMarks([]);
    const shown = await this.show(url, null);
    if (shown) this.fit();
    return shown;
  }

  /** Show a picture of `size` pixels; keeps zoom and place when the size stays. False if the browser cannot. */
  async show(url: string, size: Size | null): Promise<boolean> {
    const loaded = new Image();
    loaded.src = url;
    try {
      await loaded.decode();
    } catch {
      return false;
    }
    const next = size ?? { width: loaded.naturalWidth, height: loaded.naturalHeight };
    const same = this.size !== null && this.size.width === next.width && this.size.height === next.height;
    this.size = { width: next.width, height: next.height };
    this.image.src = url;
    this.image.width = next.width;
    this.image.height = next.height;
    this.image.hidden = false;
    if (same) this.redraw();
    else this.fit();
    return true;
  }

  /** Take the picture away. */
  clear(): void {
    this.size = null;
    this.image.hidden = true;
    this.image.removeAttribute("src");
    this.setMarks([]);
  }

  /** The marks that can be pointed at; their masks are decoded when they are first needed. */
  setMarks(marks: readonly Mark[]): void {
    const before = new Map(this.regions.map((region) => [region.mark, region]));
    this.regions = marks.map((mark) => before.get(mark) ?? { mark, mask: undefined, silhouette: undefined }).sort((a, b) => a.mark.area_px - b.mark.area_px);
    this.redraw();
  }

  /** The mark under a point of the picture: the smallest region that has the pixel, or the mark whose label it is. */
  markAt(x: number, y: number): Mark | null {
    const inside = ([left, top, right, bottom]: Box) => x >= left && y >= top && x < right && y < bottom;
    const label = this.regions.find(({ mark }) => inside(mark.label_bbox_xyxy_px));
    if (label) return label.mark;
    const region = this.regions.find((one) => {
      if (!inside(one.mark.bbox_xyxy_px)) return false;
      const mask = this.maskOf(one);
      return mask === null || contains(mask, x, y);
    });
    return region?.mark ?? null;
  }

  private maskOf(region: Region): Mask | null {
    region.mask = region.mask === undefined ? (region.mark.rle ? decodeRle(region.mark.rle) : null) : region.mask;
    return region.mask;
  }

  /** A place of the stage, in CSS pixels, as a point of the picture. */
  toPicture([x, y]: Point): Point {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  /** A point of the picture as a place of the stage. */
  toStage([x, y]: Point): Point {
    return [this.x + x * this.scale, this.y + y * this.scale];
  }

  fit(): void {
    if (!this.size) return;
    const { clientWidth, clientHeight } = this.stage;
    this.scale = Math.max(0.01, Math.min((clientWidth - 2 * MARGIN) / this.size.width, (clientHeight - 2 * MARGIN) / this.size.height, 2));
    this.x = (clientWidth - this.size.width * this.scale) / 2;
    this.y = (clientHeight - this.size.height * this.scale) / 2;
    this.fitted = true;
    this.fitScale = this.scale;
    this.redraw();
  }

  /** Zoom by a factor around a place of the stage, by default its centre. */
  zoom(factor: number, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2): void {
    if (!this.size) return;
    const scale = Math.min(LARGEST_SCALE, Math.max(this.fitScale, this.scale * factor));
    if (scale <= this.fitScale) {
      this.fit();
      return;
    }
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.pan(0, 0);
  }

  pan(dx: number, dy: number): void {
    if (!this.size) return;
    const keep = (offset: number, length: number, room: number) => Math.min(room / 2, Math.max(room / 2 - length, offset));
    this.x = keep(this.x + dx, this.size.width * this.scale, this.stage.clientWidth);
    this.y = keep(this.y + dy, this.size.height * this.scale, this.stage.clientHeight);
    this.redraw();
  }

  private resize(): void {
    if (this.fitted) this.fit();
    else this.pan(0, 0);
    this.redraw();
  }

  redraw(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  private draw(): void {
    const { stage, focus } = this;
    this.world.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.image.classList.toggle("pixels", this.scale > 3);
    stage.style.touchAction = this.fitted ? "pan-y" : "none";
    stage.classList.toggle("zoomed", !this.fitted);
    const [hovered, pinned, named, action] = [focus.hovered.peek(), focus.pinned.peek(), focus.named.peek(), focus.action.peek()];
    const front = [hovered, pinned];
    const lit = this.regions.filter(({ mark }) => front.includes(mark.id) || named.includes(mark.id));
    stage.dataset.lit = named.join(" ");
    stage.dataset.hovered = hovered ?? "";
    stage.dataset.pinned = pinned ?? "";
    stage.dataset.aim = action ? action.point_xy_px.join(" ") : "";
    this.light(lit, front);
  }

  private light(lit: Region[], front: (string | null)[]): void {
    const { context, canvas, stage, focus } = this;
    const ratio = window.devicePixelRatio || 1;
    const room = { width: stage.clientWidth, height: stage.clientHeight };
    const [width, height] = [Math.round(room.width * ratio), Math.round(room.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.size) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colorOf = (name: string) => this.colors.getPropertyValue(name).trim();
    if (lit.length) {
      context.fillStyle = colorOf("--dim");
      context.fillRect(this.x, this.y, this.size.width * this.scale, this.size.height * this.scale);
      context.globalCompositeOperation = "destination-out";
      for (const region of lit) this.place(region, (shape, at) => context.drawImage(shape, ...at));
      context.globalCompositeOperation = "source-over";
      const color = ({ mark }: Region) => colorOf(front.includes(mark.id) ? "--front" : "--named");
      for (const region of lit) this.place(region, (shape, at) => outline(context, shape, at, color(region), ratio));
      for (const region of lit) {
        const { id, label_bbox_xyxy_px: box, leader } = region.mark;
        drawTag(context, id, { box: this.boxOnStage(box), leader: leader && this.boxOnStage(leader) }, color(region), room);
      }
    }
    const action = focus.action.peek();
    if (action) drawCrosshair(context, ...this.toStage(action.point_xy_px), colorOf("--aim"));
    this.layer?.(context, this);
  }

  private place(region: Region, paint: (shape: HTMLCanvasElement, at: Place) => void): void {
    if (region.silhouette === undefined) region.silhouette = silhouette(this.maskOf(region), region.mark.bbox_xyxy_px);
    if (region.silhouette === null) return;
    const [left, top, right, bottom] = this.boxOnStage(region.silhouette.box);
    paint(region.silhouette.shape, [left, top, right - left, bottom - top]);
  }

  boxOnStage([left, top, right, bottom]: Box): Box {
    return [...this.toStage([left, top]), ...this.toStage([right, bottom])];
  }
}
