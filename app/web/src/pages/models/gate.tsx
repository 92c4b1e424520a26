// Deploy behind the gate: what must not get worse, what the gate found, and going past it knowingly.

import { useState } from "preact/hooks";
import type { Benchmark, Deployment, GateFinding, Model } from "../../api/learning";
import { post } from "../../api/http";
import { Problem } from "../../api/problem";
import { useGet } from "../../fetched";
import { href } from "../../router";
import { Dialog } from "../../ui/dialog";
import { numberOf, Trouble } from "../../ui/forms";
import { Icon } from "../../ui/icon";
import { tell } from "../../ui/notices";
import { Badge } from "../../ui/parts";
import { titleOf } from "./words";

interface Rule {
  benchmark: string;
  metric: string;
  tolerance: number;
  lower_is_better: boolean;
}

/** What the gate measured, rule by rule. */
export function Verdict({ found }: { found: GateFinding[] }) {
  return (
    <table id="verdict">
      <thead><tr><th scope="col">Benchmark</th><th scope="col">Metric</th><th scope="col" class="number">New</th><th scope="col" class="number">Now</th><th scope="col">Verdict</th></tr></thead>
      <tbody>{found.map((one) => <tr key={`${one.benchmark} ${one.metric}`}><td>{one.benchmark}</td><td>{one.metric}</td><td class="number">{one.new.toPrecision(4)}</td><td class="number">{one.current.toPrecision(4)}</td><td><Badge tone={one.kept ? "good" : "bad"}>{one.kept ? "kept" : "worse"}</Badge></td></tr>)}</tbody>
    </table>
  );
}

/** Asks what the gate holds, deploys, and says what came of it. `model` null is the built-in one. */
export function Deploy({ model, onClose, onDone }: { model: Model; onClose: () => void; onDone: () => void }) {
  const benchmarks = useGet<{ data: Benchmark[] }>("/v1/benchmarks");
  const [rules, setRules] = useState<Rule[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const known = benchmarks.value?.data ?? [];
  const set = (index: number, change: Partial<Rule>) => setRules((before) => before.map((rule, number) => (number === index ? { ...rule, ...change } : rule)));
  const add = () => known[0] && setRules((before) => [...before, { benchmark: known[0]!.name, metric: known[0]!.chief, tolerance: 0, lower_is_better: false }]);
  const deploy = async (force: boolean) => {
    setBusy(true);
    setProblem(null);
    try {
      const { body } = await post<Deployment>("/v1/models/deploy", { model_version_id: model.version === null ? null : model.id, gate: rules, force });
      tell(`${body.name} answers from now on`, ...body.gate.map((one) => `${one.benchmark} ${one.metric}: ${one.new.toPrecision(4)}, was ${one.current.toPrecision(4)}`));
      onDone();
    } catch (error) {
      setProblem(Problem.of(error));
      setBusy(false);
    }
  };
  const refused = problem !== null && (problem.code === "model.worse" || problem.code === "model.unmeasured");
  return (
    <Dialog title={`Deploy ${titleOf(model)}`} onClose={onClose} wide>
      <div class="dialog-body">
        <p>From then on it answers every question that names no model. With a gate, only if it is not worse than what answers now.</p>
        {rules.map((rule, index) => (
          <fieldset key={index} class="rule" aria-label={`Rule ${index + 1}`}>
            <label class="field column">Benchmark<select value={rule.benchmark} onChange={(event) => { const chosen = known.find(({ name }) => name === event.currentTarget.value)!; set(index, { benchmark: chosen.name, metric: chosen.chief }); }}>{known.map(({ name }) => <option key={name} value={name}>{name}</option>)}</select></label>
            <label class="field column">Metric<input type="text" value={rule.metric} onInput={(event) => set(index, { metric: event.currentTarget.value })} /></label>
            <label class="field column">May lose<input type="number" min={0} step="any" value={rule.tolerance} onInput={(event) => set(index, { tolerance: numberOf(event.currentTarget.value) ?? 0 })} /></label>
            <button type="button" class="icon" aria-label={`Remove rule ${index + 1}`} onClick={() => setRules((before) => before.filter((_, number) => number !== index))}><Icon name="trash" size={17} /></button>
          </fieldset>
        ))}
        <div class="row"><button type="button" class="button small" id="add-rule" onClick={add} disabled={!known.length}>Add a rule to the gate</button></div>
        <Trouble problem={problem}>
          {problem?.code === "model.unmeasured" && <p><a href={href("evaluation", "new")}>Order an evaluation of both</a>, then deploy.</p>}
        </Trouble>
      </div>
      <div class="row end wrap">
        <button type="button" class="button" onClick={onClose}>Keep what answers now</button>
        {refused && <button type="button" class="button danger" id="force" disabled={busy} onClick={() => void deploy(true)}>Deploy all the same</button>}
        <button type="button" class="button primary" id="deploy" disabled={busy} onClick={() => void deploy(false)}>Deploy</button>
      </div>
    </Dialog>
  );
}
