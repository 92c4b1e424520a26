// The parts of a mixture as a form: what each takes from the catalog, how many, how often. Fields that are not shown stay as they are.

import type { Part, TextsRule } from "../../api/learning";
import { Chips, numberOf } from "../../ui/forms";
import { Icon } from "../../ui/icon";
import { Field } from "../../ui/parts";

const KINDS = ["listing", "conversation", "reasoning", "referring", "description", "concept_document"];
const REVIEWS = ["unreviewed", "accepted", "edited", "rejected"];
const USUAL_REVIEWS = ["unreviewed", "accepted", "edited"];

interface Props {
  part: Part;
  onChange: (part: Part) => void;
  onRemove: (() => void) | null;
}

/** The other rules of a part in words, so that nobody changes a recipe without knowing what else it does. */
function othersOf(part: Part): string {
  const shown = ["name", "texts", "file", "images", "take", "repeat"];
  const inTexts = Object.entries(part.texts ?? {}).filter(([name, value]) => !["kinds", "labels", "reviews", "tagged"].includes(name) && isSaid(name, value));
  const others = Object.entries(part).filter(([name, value]) => !shown.includes(name) && isSaid(name, value));
  return [...inTexts, ...others].map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join("; ");
}

function isSaid(name: string, value: unknown): boolean {
  if (value === null || value === false || (name === "hold_out" && value === true) || (name === "outdated" && value === "exclude")) return false;
  return typeof value !== "object" || Object.keys(value as object).length > 0;
}

export function PartForm({ part, onChange, onRemove }: Props) {
  const texts: TextsRule = part.texts ?? {};
  const takes = (change: TextsRule) => onChange({ ...part, texts: { ...texts, ...change } });
  const others = othersOf(part);
  return (
    <fieldset class="part" aria-label={`Part ${part.name}`} data-part={part.name}>
      <div class="row">
        <label class="field">Part<input type="text" class="part-name" value={part.name} pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" required onInput={(event) => onChange({ ...part, name: event.currentTarget.value })} /></label>
        {onRemove && <button type="button" class="icon push" aria-label={`Remove the part ${part.name}`} onClick={onRemove}><Icon name="trash" size={17} /></button>}
      </div>
      {part.file ? (
        <Field label="File in the folder of imports" hint="A LLaVA JSON file; a key with the scope admin may name it."><input type="text" value={part.file} onInput={(event) => onChange({ ...part, file: event.currentTarget.value })} /></Field>
      ) : (
        <>
          <Chips label="Kinds (none: all)" options={KINDS.map((value) => ({ value }))} chosen={texts.kinds ?? []} onChange={(kinds) => takes({ kinds })} />
          <Chips label="Reviews" options={REVIEWS.map((value) => ({ value }))} chosen={texts.reviews ?? USUAL_REVIEWS} onChange={(reviews) => takes({ reviews })} />
        </>
      )}
      <div class="fields">
        {!part.file && (
          <>
            <Field label="Labels of the pictures"><input type="text" placeholder="all" value={(texts.labels ?? []).join(", ")} onChange={(event) => takes({ labels: event.currentTarget.value.split(",").map((one) => one.trim()).filter(Boolean) })} /></Field>
            <Field label="Pictures">
              <select value={texts.tagged === true ? "marked" : texts.tagged === false ? "plain" : ""} onChange={(event) => takes({ tagged: event.currentTarget.value === "" ? null : event.currentTarget.value === "marked" })}>
                <option value="">marked and plain</option><option value="marked">marked</option><option value="plain">plain</option>
              </select>
            </Field>
          </>
        )}
        <Field label="At most"><input type="number" min={1} placeholder="all" value={part.take ?? ""} onInput={(event) => onChange({ ...part, take: numberOf(event.currentTarget.value) })} /></Field>
        <Field label="How often"><input type="number" min={1} max={100} value={part.repeat ?? 1} onInput={(event) => onChange({ ...part, repeat: numberOf(event.currentTarget.value) ?? 1 })} /></Field>
      </div>
      {others && <p class="soft small">Besides: {others}</p>}
    </fieldset>
  );
}
