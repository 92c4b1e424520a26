// The pictures that the gallery shows and those that are chosen. Lives as long as the tab: coming back shows the same place.

import { batch, signal } from "@preact/signals";
import { get, list, post, respond, upload } from "../../api/http";
import { Problem, wasAborted } from "../../api/problem";
import type { ImageOut, Job, List, MarkSet } from "../../api/types";
import { report } from "../../ui/notices";

const PAGE = 100;
/** Beyond so many, pictures go by marks that are found anew: looking up what each has would take too long. */
const LOOKED_UP = 1000;
const LOOKS_AT_ONCE = 6;

export interface Wanted {
  q: string;
  label: string;
}

export interface LabelCount {
  label: string;
  images: number;
}

class GalleryStore {
  readonly images = signal<ImageOut[]>([]);
  readonly total = signal<number | null>(null);
  readonly loading = signal(true);
  readonly trouble = signal<Problem | null>(null);
  readonly chosen = signal<ReadonlySet<string>>(new Set());
  readonly labels = signal<LabelCount[]>([]);
  /** Pictures on their way in: how many are sent, of how many. */
  readonly sending = signal<{ done: number; of: number } | null>(null);
  /** Everything is to be chosen, and its pages are coming. */
  readonly choosingAll = signal(false);
  scrolledPx = 0;
  private readonly cursor = signal<string | null>(null);
  private wanted: Wanted | null = null;
  private stop = new AbortController();
  private coming: Promise<void> = Promise.resolve();

  /** Show what is wanted; nothing happens if it is shown already. */
  show(wanted: Wanted): void {
    if (this.wanted && this.wanted.q === wanted.q && this.wanted.label === wanted.label && !this.trouble.value) return;
    this.wanted = wanted;
    this.scrolledPx = 0;
    this.chosen.value = new Set();
    void this.reload();
  }

  /** Fetch from the start again; what is chosen stays chosen. */
  async reload(): Promise<void> {
    this.stop.abort();
    this.stop = new AbortController();
    batch(() => {
      this.loading.value = true;
      this.trouble.value = null;
    });
    this.coming = this.fetch(null);
    await Promise.all([this.coming, this.fetchLabels()]);
  }

  private async fetchLabels(): Promise<void> {
    try {
      this.labels.value = (await list<LabelCount>("/v1/labels", { limit: 200 })).data;
    } catch {
      // The pictures say what is wrong.
    }
  }

  /** A page of what is wanted; the first one says how many there are. */
  private page(after: string | null, limit = PAGE): Promise<List<ImageOut> & { total?: number }> {
    return list<ImageOut>("/v1/images", { ...this.wanted, limit, after, include: after ? null : "total" }, this.stop.signal);
  }

  private async fetch(after: string | null): Promise<void> {
    try {
      const page = await this.page(after);
      batch(() => {
        this.images.value = after ? [...this.images.value, ...page.data] : page.data;
        this.cursor.value = page.next_cursor;
        if (page.total !== undefined) this.total.value = page.total;
        this.loading.value = false;
      });
    } catch (error) {
      if (wasAborted(error)) return;
      batch(() => {
        this.loading.value = false;
        this.trouble.value = Problem.of(error);
        if (!after) this.images.value = [];
      });
    }
  }

  /** Fetch the next page; resolves with the one that is on its way already. */
  next(): Promise<void> {
    if (!this.loading.value && this.cursor.value !== null && !this.trouble.value) {
      this.loading.value = true;
      this.coming = this.fetch(this.cursor.value);
    }
    return this.coming;
  }

  choose(ids: Iterable<string>): void {
    this.chosen.value = new Set(ids);
  }

  toggle(id: string): void {
    const next = new Set(this.chosen.value);
    if (!next.delete(id)) next.add(id);
    this.chosen.value = next;
  }

  /** Choose everything that fits, fetching what is not shown yet; ends early where something else is wanted meanwhile. */
  async chooseAll(): Promise<void> {
    const { wanted } = this;
    this.choosingAll.value = true;
    while (this.cursor.value !== null && !this.trouble.value && this.wanted === wanted) await this.next();
    this.choosingAll.value = false;
    if (this.trouble.value) report(this.trouble.value);
    else if (this.wanted === wanted) this.choose(this.images.value.map(({ id }) => id));
  }

  /** Order texts about the chosen pictures, by their newest marks: those that a person corrected last count. */
  async annotate(kind: string, writer: string): Promise<Job> {
    const ids = [...this.chosen.value];
    const sets = await newestSets(ids.slice(0, LOOKED_UP));
    const order = { kind, writer, images: { ids }, ...(sets.length ? { mark_set_ids: sets } : {}) };
    return (await post<Job>("/v1/annotations", order, { Prefer: "respond-async" })).body;
  }

  async relabel(ids: string[], add: string[], remove: string[]): Promise<void> {
    await respond("PATCH", "/v1/images", { body: { images: { ids }, add_labels: add, remove_labels: remove } });
    const touched = new Set(ids);
    this.images.value = this.images.value.map((image) => (touched.has(image.id) ? { ...image, labels: [...new Set([...image.labels, ...add])].filter((label) => !remove.includes(label)).sort() } : image));
    await this.fetchLabels();
  }

  /** Pictures are gone: show and choose them no longer. */
  forget(ids: string[]): void {
    const gone = new Set(ids);
    const before = this.images.value;
    batch(() => {
      this.images.value = before.filter(({ id }) => !gone.has(id));
      this.choose([...this.chosen.value].filter((id) => !gone.has(id)));
      if (this.total.value !== null) this.total.value -= before.length - this.images.value.length;
    });
    // Where nothing is left on the screen, nothing scrolls and asks for the next.
    if (!this.images.value.length) void this.next();
  }

  /** Count again what fits, and the labels. */
  async count(): Promise<void> {
    const [first] = await Promise.allSettled([this.page(null, 1), this.fetchLabels()]);
    if (first.status === "fulfilled") this.total.value = first.value.total ?? null;
  }

  /** Send files, two at a time; those that are refused are named, the others go on. */
  async send(files: File[]): Promise<void> {
    const label = this.wanted?.label;
    const waiting = [...files];
    this.sending.value = { done: 0, of: files.length };
    const lane = async () => {
      for (let file = waiting.shift(); file; file = waiting.shift()) {
        try {
          await upload(file, label ? [label] : [], () => undefined);
        } catch (error) {
          report(error);
        }
        const { value } = this.sending;
        this.sending.value = value && { ...value, done: value.done + 1 };
      }
    };
    await Promise.all([lane(), lane()]);
    this.sending.value = null;
    await this.reload();
  }
}

export const gallery = new GalleryStore();

/** The newest mark set of each image that has one. */
async function newestSets(ids: string[]): Promise<string[]> {
  const waiting = [...ids];
  const found: string[] = [];
  const lane = async () => {
    for (let id = waiting.shift(); id; id = waiting.shift()) {
      const { data } = await list<MarkSet>("/v1/marksets", { image_id: id, limit: 1 });
      if (data[0]) found.push(data[0].id);
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, lane));
  return found;
}

/** An image by its id, from what is shown or from the server. */
export async function imageOf(id: string): Promise<ImageOut> {
  return gallery.images.value.find((image) => image.id === id) ?? get<ImageOut>(`/v1/images/${id}`);
}
