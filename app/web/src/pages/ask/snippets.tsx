// A button that opens the request as code in three forms, ready to be copied.

import { useState } from "preact/hooks";
import { CopyButton } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { curl, openaiClient, pythonClient, type Said } from "./code";
import { ask, type Question } from "./store";

const FORMS: [string, (said: Said) => string][] = [["curl", curl], ["Python", pythonClient], ["OpenAI client", openaiClient]];

/** `question` null: the request that marks the picture. */
export function CodeButton({ id, question, disabled }: { id: string; question: Question | null; disabled: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button quiet" id={id} disabled={disabled} onClick={() => setOpen(true)}>Copy as code</button>
      {open && <CodeDialog question={question} onClose={() => setOpen(false)} />}
    </>
  );
}

function CodeDialog({ question, onClose }: { question: Question | null; onClose: () => void }) {
  const [form, setForm] = useState(0);
  const [name, write] = FORMS[form]!;
  const asked = question && (question.query || ["list", "classify", "correspond"].includes(question.task)) ? question : question && { ...question, query: "Which mark is the search box?" };
  const code = write({ fileName: ask.fileName, settings: ask.settings.value, question: asked, body: asked ? ask.body(asked) : {} });
  return (
    <Dialog title={question ? "This question as code" : "This marking as code"} wide onClose={onClose}>
      <div class="row">
        <div class="segmented" role="group" aria-label="Form">
          {FORMS.map(([title], index) => <button type="button" key={title} aria-pressed={index === form} onClick={() => setForm(index)}>{title}</button>)}
        </div>
        <CopyButton class="button small push" text={() => code} label={`Copy ${name}`} />
      </div>
      <pre class="code" id="code" tabIndex={0}>{code}</pre>
      <p class="soft small">{name === "Python" ? <>Our client: <code>pip install ./app/client</code> in a checkout.</> : name === "OpenAI client" ? "The picture is marked on the way in." : "In a shell, beside the picture."}</p>
    </Dialog>
  );
}
