import { useLayoutEffect, useRef, type ReactNode } from 'react'
import { Icon } from './icons.tsx'

/** A dialog that is open as long as it is drawn. What in it has data-first gets the focus. */
export function Dialog({ title, onClose, className = '', children }: { title: string; onClose: () => void; className?: string; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  // As long as it is in the document, closing it gives the focus back.
  useLayoutEffect(() => {
    const opened = dialog.current!
    opened.showModal()
    opened.querySelector<HTMLElement>('[data-first]')?.focus()
    return () => opened.close()
  }, [])
  return (
    <dialog ref={dialog} className={`dialog ${className}`} aria-label={title} onCancel={(event) => (event.preventDefault(), onClose())}
      onPointerDown={(event) => event.target === event.currentTarget && onClose()}>
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
      </header>
      <div className="dialog-body">{children}</div>
    </dialog>
  )
}
