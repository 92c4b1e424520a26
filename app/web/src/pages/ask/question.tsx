// The box for questions: a task, its words, what the task needs besides, and the answers so far.

import { useState } from "preact/hooks";
import type { Task } from "../../api/types";
import { AnswerCard, WaitingCard } from "./answer";
import { ask, type Question } from "./store";
import { CodeButton } from "./snippets";
import { nameOf, useOthers } from "./target";

interface TaskWords {
  title: string;
  hint: string;
  /** Answered without words, too. */
  bare?: boolean;
}

const TASKS: Record<Task, TaskWords> = {
  ask: { title: "Ask anything", hint: "What is on this picture?" },
  list: { title: "List the marks", hint: "List the marked items one by one.", bare: true },
  refer: { title: "Find what is meant", hint: "the field for the e-mail address" },
  classify: { title: "Name each mark", hint: "What kind of thing is it?", bare: true },
  phrases: { title: "Tie phrases to marks", hint: "A red box stands left of the blue disc." },
  correspond: { title: "Find it in another picture", hint: "Which marks are the same?", bare: true },
  act: { title: "Say what to do", hint: "log in" },
};

const namesIn = (text: string): string[] => text.split(/[,\n]/).map((name) => name.trim()).filter(Boolean);

export function AskBox() {
  const [task, setTask] = useState<Task>("ask");
  const [query, setQuery] = useState("");
  const [choices, setChoices] = useState("");
  const [targetId, setTargetId] = useState("");
  const others = useOthers(task === "correspond");
  const open = ask.markSet.value !== null;
  const takesNames = task === "classify" || task === "phrases";
  const target = targetId || others?.[0]?.id || "";
  const question: Question = { task, query: query.trim(), choices: takesNames ? namesIn(choices) : [], targetId: task === "correspond" ? target || null : null };
  const missing = !TASKS[task].bare && !question.query ? "query" : task === "classify" && !question.choices.length ? "choices" : task === "correspond" && !target ? "target" : null;

  const submit = async (event?: Event) => {
    event?.preventDefault();
    if (!open) return;
    if (missing) {
      document.getElementById(missing)?.focus();
      return;
    }
    setQuery("");
    // What was asked stays in the box if no answer came, unless something else was written meanwhile.
    if (!(await ask.ask(question))) setQuery((now) => now || question.query);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) void submit(event);
  };

  return (
    <section class="panel ask-panel" aria-labelledby="ask-title">
      <h2 id="ask-title">Ask</h2>
      <form id="ask" autocomplete="off" onSubmit={submit}>
        <label class="field column"><span class="visually-hidden">Task</span>
          <select id="task" value={task} disabled={!open} onChange={(event) => setTask(event.currentTarget.value as Task)}>
            {Object.entries(TASKS).map(([name, { title }]) => <option key={name} value={name}>{title} ({name})</option>)}
          </select>
        </label>
        <label class="visually-hidden" for="query">Question about the picture</label>
        <textarea id="query" rows={2} maxLength={10_000} placeholder={TASKS[task].hint} disabled={!open} value={query} onInput={(event) => setQuery(event.currentTarget.value)} onKeyDown={key} />
        {takesNames && (
          <label class="field column"><span class="field-name">{task === "classify" ? "Names to choose from" : "Phrases (found by themselves if empty)"}</span>
            <input id="choices" type="text" value={choices} placeholder={task === "classify" ? "button, field, picture" : "a red box, the blue disc"} disabled={!open} onInput={(event) => setChoices(event.currentTarget.value)} />
          </label>
        )}
        {task === "correspond" && (
          <label class="field column"><span class="field-name">The other picture</span>
            <select id="target" value={target} disabled={!others?.length} onChange={(event) => setTargetId(event.currentTarget.value)}>
              {others?.map((one) => <option key={one.id} value={one.id}>{nameOf(one)}</option>)}
              {others && !others.length && <option value="">No other picture is marked yet</option>}
            </select>
          </label>
        )}
        <div class="row">
          <CodeButton id="copy-ask" question={question} disabled={!open} />
          <button type="submit" class="button primary push" id="send" disabled={!open}>Ask</button>
        </div>
      </form>
      <ol class="answers" id="answers" aria-label="Answers, newest first">
        {ask.waiting.value.map((waiting) => <WaitingCard key={`waiting-${waiting.key}`} waiting={waiting} />)}
        {ask.answers.value.map((answer) => <AnswerCard key={answer.id} answer={answer} />)}
      </ol>
    </section>
  );
}
