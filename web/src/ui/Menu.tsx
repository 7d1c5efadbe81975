import { useEffect, useRef, useState, type ReactNode } from 'react'

interface MenuProps {
  /** What stands on the button. */
  label: ReactNode
  /** Its name for those who do not see it, where it has no words. */
  name?: string
  className?: string
  align?: 'start' | 'end'
  /** What opens below: it is given how to close. */
  children: (close: () => void) => ReactNode
}

/** A button that opens something below itself, until that is left. */
export function Popover({ label, name, className = 'button', align = 'start', children }: MenuProps) {
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!open) return
    const leave = (event: Event) => box.current?.contains(event.target as Node) || setOpen(false)
    document.addEventListener('pointerdown', leave)
    document.addEventListener('focusin', leave)
    return () => {
      document.removeEventListener('pointerdown', leave)
      document.removeEventListener('focusin', leave)
    }
  }, [open])
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <div className="popover" ref={box} onKeyDown={(event) => event.key === 'Escape' && open && (event.stopPropagation(), close())}>
      <button ref={button} type="button" className={className} aria-label={name} title={name} aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open && <div className={`popover-body ${align}`}>{children(close)}</div>}
    </div>
  )
}

export interface Choice {
  title: ReactNode
  hint?: string
  act: () => void
}

/** A button that opens a list of things to do. Arrow keys go through it. */
export function Menu({ choices, ...popover }: { choices: Choice[] } & Omit<MenuProps, 'children'>) {
  return <Popover {...popover}>{(close) => <Choices choices={choices} close={close} />}</Popover>
}

function Choices({ choices, close }: { choices: Choice[]; close: () => void }) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => list.current?.querySelector('button')?.focus(), [])
  const move = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (!step) return
    event.preventDefault()
    const items = [...list.current!.querySelectorAll('button')]
    const at = items.indexOf(document.activeElement as HTMLButtonElement)
    items[(at + step + items.length) % items.length].focus()
  }
  return (
    <div className="menu" role="menu" ref={list} onKeyDown={move}>
      {choices.map((choice, i) => (
        <button key={i} type="button" role="menuitem" onClick={() => (close(), choice.act())}>
          <span>{choice.title}</span>
          {choice.hint && <span className="quiet">{choice.hint}</span>}
        </button>
      ))}
    </div>
  )
}
