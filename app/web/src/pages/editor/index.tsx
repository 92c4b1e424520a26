// Editor: a person corrects the marks of a picture. Every correction is a revision; the keyboard does it all.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useComeback } from "../../health";
import { MarkList } from "../../picture/marks";
import { Stage } from "../../picture/stage";
import type { Viewer } from "../../picture/viewer";
import { href, route } from "../../router";
import { Icon } from "../../ui/icon";
import { CannotShow, Empty, PageHead } from "../../ui/parts";
import { Recent } from "../ask/recent";
import { Inspector } from "./inspector";
import { Editor, type How } from "./store";
import { Drawing, type ToolName, TOOLS } from "./tools";
import "../ask/ask.css";
import "./editor.css";

function Keys() {
  return (
    <p class="soft small keys">
      {TOOLS.map(({ key, title }) => <span key={key}><kbd>{key}</kbd> {title}</span>)}
      <span><kbd>F2</kbd> Name</span><span><kbd>Ctrl Z</kbd> Undo</span><span><kbd>Esc</kbd> Nothing chosen</span>
    </p>
  );
}

function Bar({ editor, tool, onTool }: { editor: Editor; tool: ToolName; onTool: (name: ToolName) => void }) {
  const hint = tool === "cut" && editor.chosen.value.size !== 1 ? "Choose the one mark to cut first." : TOOLS.find(({ name }) => name === tool)!.hint;
  return (
    <div class="bar tools" role="toolbar" aria-label="Tools">
      <div class="segmented" role="group" aria-label="Tool">
        {TOOLS.map(({ name, key, title }) => <button type="button" key={name} id={`tool-${name}`} aria-pressed={tool === name} aria-keyshortcuts={key} onClick={() => onTool(name)}>{title}</button>)}
      </div>
      <span class="soft small tool-hint">{hint}</span>
      <label class="field">What is drawn
        <select id="how" value={editor.how.value} onChange={(event) => { editor.how.value = event.currentTarget.value as How; }}>
          <option value="sam">finds a region (SAM)</option>
          <option value="drawn">is the region</option>
        </select>
      </label>
      <span class="row push">
        <button type="button" class="icon" id="undo" aria-label="Undo" title="Undo (Ctrl Z)" disabled={!editor.canUndo.value || editor.busy.value !== null} onClick={() => void editor.undo()}><Icon name="undo" size={18} /></button>
        <button type="button" class="icon flipped" id="redo" aria-label="Do again" title="Do again (Ctrl Shift Z)" disabled={!editor.canRedo.value || editor.busy.value !== null} onClick={() => void editor.redo()}><Icon name="undo" size={18} /></button>
        <a class="button small" href={href("ask", editor.markSet.value?.id ?? null)}>Ask about it</a>
      </span>
    </div>
  );
}

function useKeys(editor: Editor, onTool: (name: ToolName) => void): void {
  useLayoutEffect(() => {
    const key = (event: KeyboardEvent) => {
      const typing = (event.target as Element).closest("input, textarea, select, dialog");
      const command = event.ctrlKey || event.metaKey;
      if (typing || editor.busy.value) return;
      const tool = TOOLS.find((one) => one.key === event.key && !command && !event.altKey);
      const some = editor.chosen.value.size;
      const letter = event.key.toLowerCase();
      if (command && letter === "z") void (event.shiftKey ? editor.redo() : editor.undo());
      else if (command && letter === "y") void editor.redo();
      else if (command && letter === "a") editor.chosen.value = new Set(editor.marks.value.map(({ id }) => id));
      else if (command || event.altKey) return;
      else if (tool) onTool(tool.name);
      else if (event.key === "m" && some > 1) void editor.merge();
      else if ((event.key === "Delete" || event.key === "Backspace") && some) void editor.delete();
      else if (event.key === "F2" && some === 1) document.getElementById("mark-name")?.focus();
      else if (event.key === "Escape") {
        onTool("choose");
        editor.chosen.value = new Set();
      } else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, [editor]);
}

function Workbench({ id }: { id: string }) {
  const editor = useMemo(() => new Editor(), []);
  const [tool, setTool] = useState<ToolName>("choose");
  const viewer = useRef<Viewer | null>(null);
  const drawing = useMemo(() => new Drawing(editor, tool, () => viewer.current?.redraw()), [editor, tool]);
  useEffect(() => void editor.open(id), [id]);
  useEffect(() => () => editor.close(), []);
  useKeys(editor, setTool);
  const markSet = editor.markSet.value;
  const { value: problem } = editor.problem;
  const open = () => void editor.open(id);
  useComeback(problem?.away ?? false, open);
  if (problem) return <div class="page"><CannotShow what="This mark set" problem={problem} again={open}><a class="button" href={href("gallery")}>To the gallery</a></CannotShow></div>;
  return (
    <div class="page full ask editor" data-empty="false" data-set={markSet?.id ?? ""}>
      <Bar editor={editor} tool={tool} onTool={setTool} />
      <div class="workspace">
        <Stage shown={editor.shown} marks={editor.marks} focus={editor.focus} tool={drawing.tool} layer={drawing.layer} cursor={tool === "choose" ? "default" : "crosshair"} onViewer={(made) => { viewer.current = made; }}
          label={markSet ? `Picture with ${markSet.marks.length} marks to edit` : "No picture yet"} alt={markSet ? `Picture with ${markSet.marks.length} marks` : ""}>
          {editor.busy.value && <p class="busy-note" role="status" id="busy">{editor.busy.value}</p>}
        </Stage>
        <aside class="side" aria-label="What is chosen, and all marks">
          <Inspector editor={editor} />
          <section class="panel marks-panel" aria-labelledby="marks-title">
            <header class="panel-head"><h2 id="marks-title">Marks <span class="soft" id="marks-count">{editor.marks.value.length}</span></h2></header>
            <MarkList marks={editor.marks} focus={editor.focus} chosen={editor.chosen} onChoose={(mark, event) => editor.choose(mark.id, event.shiftKey || event.ctrlKey || event.metaKey)} />
          </section>
        </aside>
      </div>
      <Keys />
    </div>
  );
}

export default function EditorPage() {
  const { id } = route.value;
  if (id) return <Workbench id={id} />;
  return (
    <div class="page editor">
      <PageHead title="Editor" lead="Correct where marks are and what they are called. Every correction is kept as a revision." />
      <Empty title="Which picture?">Take one of those that were marked last, or any from the <a href={href("gallery")}>gallery</a>.</Empty>
      <Recent page="editor" />
    </div>
  );
}
