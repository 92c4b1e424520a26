// The picture: where it lies in the stage, which mark lies at a point, and the light on the regions in focus.

import { drawCrosshair, drawTag, outline, silhouette } from "./light.js";
import { contains, decodeRle } from "./rle.js";

const MARGIN = 12;
const LARGEST_SCALE = 32;

export class Viewer {
  constructor({ stage, world, image, canvas, focus }) {
    Object.assign(this, { stage, world, image, canvas, focus });
    this.context = canvas.getContext("2d");
    this.size = null;
    this.regions = [];
    this.fitted = true;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    focus.addEventListener("change", () => this.redraw());
    new ResizeObserver(() => this.resize()).observe(stage);
  }

  /** Show pixels that have no marks yet, such as the file that is being sent; false if the browser cannot. */
  async preview(url) {
    this.setMarks([]);
    const shown = await this.show(url, null);
    if (shown) this.fit();
    return shown;
  }

  /** Show a picture of `size` {width, height} in pixels; keeps zoom and place when the size stays. */
  async show(url, size) {
    const loaded = new Image();
    loaded.src = url;
    try {
      await loaded.decode();
    } catch {
      return false;
    }
    const next = size || { width: loaded.naturalWidth, height: loaded.naturalHeight };
    const same = this.size && this.size.width === next.width && this.size.height === next.height;
    this.size = next;
    this.image.src = url;
    this.image.width = next.width;
    this.image.height = next.height;
    this.image.hidden = false;
    if (same) this.redraw();
    else this.fit();
    return true;
  }

  /** Take the picture away. */
  clear() {
    this.size = null;
    this.image.hidden = true;
    this.image.removeAttribute("src");
    this.setMarks([]);
  }

  /** The marks that can be pointed at, with their masks. */
  setMarks(marks) {
    this.regions = marks
      .map((mark) => ({ mark, mask: mark.rle ? decodeRle(mark.rle) : null, silhouette: undefined }))
      .sort((a, b) => a.mark.area_px - b.mark.area_px);
    this.redraw();
  }

  /** The mark under a point of the picture: the smallest region that has the pixel, or the mark whose label it is. */
  markAt(x, y) {
    const inside = ([left, top, right, bottom]) => x >= left && y >= top && x < right && y < bottom;
    const label = this.regions.find(({ mark }) => inside(mark.label_bbox_xyxy_px));
    const region = this.regions.find(
      ({ mark, mask }) => inside(mark.bbox_xyxy_px) && (mask === null || contains(mask, x, y)),
    );
    return (label || region)?.mark || null;
  }

  fit() {
    if (!this.size) return;
    const { clientWidth, clientHeight } = this.stage;
    this.scale = Math.max(0.01, Math.min((clientWidth - 2 * MARGIN) / this.size.width,
      (clientHeight - 2 * MARGIN) / this.size.height, 2));
    this.x = (clientWidth - this.size.width * this.scale) / 2;
    this.y = (clientHeight - this.size.height * this.scale) / 2;
    this.fitted = true;
    this.fitScale = this.scale;
    this.redraw();
  }

  /** Zoom by a factor around a place of the stage, by default its centre. */
  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
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

  pan(dx, dy) {
    if (!this.size) return;
    const keep = (offset, length, room) => Math.min(room / 2, Math.max(room / 2 - length, offset));
    this.x = keep(this.x + dx, this.size.width * this.scale, this.stage.clientWidth);
    this.y = keep(this.y + dy, this.size.height * this.scale, this.stage.clientHeight);
    this.redraw();
  }

  resize() {
    if (this.fitted) this.fit();
    else this.pan(0, 0);
    this.redraw();
  }

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const { stage, focus } = this;
    this.world.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.image.classList.toggle("pixels", this.scale > 3);
    stage.style.touchAction = this.fitted ? "pan-y" : "none";
    stage.classList.toggle("zoomed", !this.fitted);
    const front = [focus.hovered, focus.pinned].filter((id) => id !== null);
    const lit = this.regions.filter(({ mark }) => front.includes(mark.id) || focus.named.includes(mark.id));
    stage.dataset.lit = focus.named.join(" ");
    stage.dataset.hovered = focus.hovered ?? "";
    stage.dataset.pinned = focus.pinned ?? "";
    stage.dataset.aim = focus.action ? focus.action.point_xy_px.join(" ") : "";
    this.light(lit, front);
  }

  light(lit, front) {
    const { context, canvas, stage, focus } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(stage.clientWidth * ratio), Math.round(stage.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.size || (lit.length === 0 && !focus.action)) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colors = getComputedStyle(stage);
    if (lit.length) {
      context.fillStyle = colors.getPropertyValue("--dim");
      context.fillRect(this.x, this.y, this.size.width * this.scale, this.size.height * this.scale);
    }
    context.globalCompositeOperation = "destination-out";
    for (const region of lit) this.place(region, (shape, at) => context.drawImage(shape, ...at));
    context.globalCompositeOperation = "source-over";
    const color = ({ mark }) => colors.getPropertyValue(front.includes(mark.id) ? "--front" : "--named").trim();
    for (const region of lit) this.place(region, (shape, at) => outline(context, shape, at, color(region), ratio));
    for (const region of lit) {
      const { id, label_bbox_xyxy_px: box, leader } = region.mark;
      drawTag(context, id, { box: this.onStage(box), leader: leader && this.onStage(leader) }, color(region), stage);
    }
    if (focus.action) {
      const [x, y] = focus.action.point_xy_px;
      drawCrosshair(context, this.x + x * this.scale, this.y + y * this.scale, colors.getPropertyValue("--aim").trim());
    }
  }

  place(region, paint) {
    if (region.silhouette === undefined) region.silhouette = silhouette(region.mask, region.mark.bbox_xyxy_px);
    if (region.silhouette === null) return;
    const { shape, x, y } = region.silhouette;
    const { scale } = this;
    paint(shape, [this.x + x * scale, this.y + y * scale, shape.width * scale, shape.height * scale]);
  }

  onStage([left, top, right, bottom]) {
    return [this.x + left * this.scale, this.y + top * this.scale, this.x + right * this.scale, this.y + bottom * this.scale];
  }
}
