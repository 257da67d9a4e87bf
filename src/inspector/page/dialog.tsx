import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onCancel={onClose} onClose={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

export interface Question {
  readonly title: string;
  readonly text: ComponentChildren;
  readonly action: string;
  readonly danger?: boolean;
  /** What must be typed before. */
  readonly word?: string;
  /** What is asked for, with what is there at first. */
  readonly field?: { readonly label: string; readonly value: string };
  /** What it rejects with is shown, and the dialog stays. */
  readonly act: (value: string) => Promise<void>;
}

/** Asks before something is done, or for a name. */
export function Ask({ title, text, action, danger, word, field, act, onClose }: Question & { readonly onClose: () => void }): JSX.Element {
  const [value, setValue] = useState(field?.value ?? '');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const isReady = word === undefined || value === word;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isReady || busy) return;
    setBusy(true);
    try {
      await act(value);
      onClose();
    } catch (thrown) {
      setError((thrown as Error).message);
      setBusy(false);
    }
  };
  const hasField = field !== undefined || word !== undefined;
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p>{text}</p>
        {hasField && (
          <label class="field">
            {field?.label ?? 'Type it to go on'}
            <input data-first value={value} spellcheck={false} autocomplete="off" onInput={(event) => setValue(event.currentTarget.value)} />
          </label>
        )}
        {error !== '' && <p class="error" role="alert">{error}</p>}
        <div class="actions">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" data-first={hasField ? undefined : true} class={danger === true ? 'danger' : 'primary'} disabled={!isReady || busy}>{action}</button>
        </div>
      </form>
    </Dialog>
  );
}
