// Gallery: all pictures, found by labels and by the words of marks, texts and answers; what is chosen becomes a job.

import { useEffect, useRef, useState } from "preact/hooks";
import { useComeback } from "../../health";
import { choose, takeFiles } from "../../intake";
import { go, href, route } from "../../router";
import { Icon } from "../../ui/icon";
import { CannotShow, Empty, PageHead } from "../../ui/parts";
import { Deleting } from "./deleting";
import { AnnotateDialog, DeleteDialog, LabelDialog } from "./dialogs";
import { Detail } from "./detail";
import { Grid } from "./grid";
import { gallery, type Wanted } from "./store";
import "./gallery.css";

const TYPED_MS = 250;

function Search({ wanted }: { wanted: Wanted }) {
  const [words, setWords] = useState(wanted.q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setWords(wanted.q), [wanted.q]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (q: string, label = wanted.label) => go(href("gallery", null, { q, label }), { replace: true });
  const type = (text: string) => {
    setWords(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => search(text.trim()), TYPED_MS);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    clearTimeout(timer.current);
    search(words.trim());
  };
  return (
    <form class="bar" role="search" aria-label="Pictures" onSubmit={submit}>
      <label class="search"><Icon name="search" size={17} /><span class="visually-hidden">Words in marks, texts and answers</span>
        <input id="gallery-search" type="search" value={words} placeholder="Words in marks, texts, answers" onInput={(event) => type(event.currentTarget.value)} />
      </label>
      <label class="field">Label
        <select id="gallery-label" value={wanted.label} onChange={(event) => search(words.trim(), event.currentTarget.value)}>
          <option value="">all</option>
          {wanted.label && !gallery.labels.value.some(({ label }) => label === wanted.label) && <option value={wanted.label}>{wanted.label}</option>}
          {gallery.labels.value.map(({ label, images }) => <option key={label} value={label}>{label} ({images})</option>)}
        </select>
      </label>
    </form>
  );
}

type Asked = "annotate" | "label" | "delete" | null;

function Chosen() {
  const [asked, setAsked] = useState<Asked>(null);
  const count = gallery.chosen.value.size;
  const all = gallery.total.value?.toLocaleString("en") ?? null;
  const close = () => setAsked(null);
  return (
    <div class="chosen-bar" role="toolbar" aria-label="Chosen pictures">
      <strong id="chosen-count" role="status">{count.toLocaleString("en")} chosen</strong>
      <button type="button" class="button small" disabled={gallery.choosingAll.value} onClick={() => void gallery.chooseAll()}>{gallery.choosingAll.value ? `Looking through ${gallery.images.value.length.toLocaleString("en")}` : "Choose all"}{all === null ? "" : gallery.choosingAll.value ? ` of ${all}` : ` ${all}`}</button>
      <button type="button" class="button small quiet" onClick={() => gallery.choose([])}>None</button>
      <span class="row push wrap">
        <button type="button" class="button small primary" onClick={() => setAsked("annotate")}>Write texts</button>
        <button type="button" class="button small" onClick={() => setAsked("label")}>Label</button>
        <button type="button" class="button small danger" onClick={() => setAsked("delete")}>Delete</button>
      </span>
      {asked === "annotate" && <AnnotateDialog onClose={close} />}
      {asked === "label" && <LabelDialog onClose={close} />}
      {asked === "delete" && <DeleteDialog onClose={close} />}
    </div>
  );
}

function Nothing({ wanted }: { wanted: Wanted }) {
  if (gallery.trouble.value) return <CannotShow what="The pictures" problem={gallery.trouble.value} again={() => void gallery.reload()} />;
  if (wanted.q || wanted.label) return <Empty title="No picture fits">Words are looked for in marks, texts and answers, each as a word or its beginning.<br /><a class="button" href={href("gallery")}>Show all</a></Empty>;
  return <Empty title="No pictures yet">Drop some here, or bring many with <code>markwise import folder FOLDER</code>.<br /><button type="button" class="button primary" onClick={() => choose({ several: true })}>Choose pictures</button></Empty>;
}

export default function GalleryPage() {
  const { id, query } = route.value;
  const wanted: Wanted = { q: query.get("q") ?? "", label: query.get("label") ?? "" };
  useEffect(() => gallery.show(wanted), [wanted.q, wanted.label]);
  useComeback(gallery.trouble.value?.away ?? false, () => void gallery.reload());
  useEffect(() => takeFiles((files) => void gallery.send(files)), []);
  const open = (image: string | null) => go(href("gallery", image, { q: wanted.q, label: wanted.label }));
  const total = gallery.total.value;
  const sending = gallery.sending.value;
  const some = gallery.images.value.length > 0;
  const count = sending ? `Sending ${sending.done + 1} of ${sending.of}` : total === null ? "" : `${total.toLocaleString("en")} ${total === 1 ? "picture" : "pictures"}`;
  return (
    <div class="page full gallery">
      <PageHead title="Gallery" lead={<span id="gallery-count" role="status">{count}</span>}>
        <Search wanted={wanted} />
        <button type="button" class="button" id="add" onClick={() => choose({ several: true })}><Icon name="plus" size={16} />Add pictures</button>
      </PageHead>
      <Deleting />
      {gallery.chosen.value.size > 0 && <Chosen />}
      {some ? <Grid key={`${wanted.q}/${wanted.label}`} onOpen={open} /> : !gallery.loading.value && <Nothing wanted={wanted} />}
      {id && <Detail key={id} id={id} onClose={() => open(null)} />}
    </div>
  );
}
