// A modal dialog on the browser's own <dialog>: the focus stays inside, Escape closes it.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon";

interface Props {
  title: string;
  onClose: () => void;
  wide?: boolean;
  /** Along the right edge of the window instead of in its middle. */
  drawer?: boolean;
  children: ComponentChildren;
}

/** Shown as long as it is rendered; `onClose` is called for Escape, the cross and a click beside it. */
export function Dialog({ title, onClose, wide = false, drawer = false, children }: Props) {
  const node = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = node.current!;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={node} aria-labelledby={id} class={drawer ? "drawer" : wide ? "wide" : ""} onCancel={(event) => { event.preventDefault(); onClose(); }}
      onMouseDown={(event) => event.target === node.current && onClose()}>
      <div class="dialog-inside">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon push" aria-label="Close" onClick={onClose}><Icon name="close" size={18} /></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will happen, in a sentence. */
  children: ComponentChildren;
  /** The word on the button that does it. */
  action: string;
  danger?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Ask before something that cannot be undone. */
export function Confirm({ title, children, action, danger = false, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body">{children}</div>
      <div class="row end">
        <button type="button" class="button" onClick={onClose}>Keep</button>
        <button type="button" class={`button ${danger ? "danger" : "primary"}`} onClick={onConfirm}>{action}</button>
      </div>
    </Dialog>
  );
}
