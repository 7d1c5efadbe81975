import { useEffect, useRef, type ReactNode } from 'react'
import { Icon } from './icons.tsx'

/** A dialog that is open as long as it is drawn. */
export function Dialog({ title, onClose, className = '', children }: { title: string; onClose: () => void; className?: string; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const opened = dialog.current!
    opened.showModal()
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
