import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { plugins, sources } from '../api/queries.ts'
import { paneOf } from '../explore/state.ts'
import { chooseTheme } from './theme.ts'

interface Command {
  title: string
  kind: string
  run: () => void
}

let open: () => void = () => {}

/** Opens the command palette, as Ctrl+K does. */
export const openPalette = () => open()

/** Goes to anything, and does what can be done from anywhere, by its name. */
export function Palette() {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    open = () => setShown(true)
    const key = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return
      event.preventDefault()
      setShown((was) => !was)
    }
    document.addEventListener('keydown', key)
    return () => document.removeEventListener('keydown', key)
  }, [])
  return shown ? <Search onClose={() => setShown(false)} /> : null
}

function Search({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const commands = useCommands()
  const found = useMemo(() => commands.filter((c) => matches(`${c.kind} ${c.title}`, text)).slice(0, 12), [commands, text])
  useEffect(() => dialog.current!.showModal(), [])
  const chosen = Math.min(at, found.length - 1)
  const run = (command?: Command) => {
    if (!command) return
    onClose()
    command.run()
  }
  const key = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step) setAt((chosen + step + found.length) % found.length)
    else if (event.key === 'Enter') run(found[chosen])
    else return
    event.preventDefault()
  }
  return (
    <dialog ref={dialog} className="palette" aria-label="Search and commands" onCancel={(event) => (event.preventDefault(), onClose())}
      onPointerDown={(event) => event.target === event.currentTarget && onClose()}>
      <input type="text" role="combobox" aria-expanded="true" aria-controls="commands" aria-activedescendant={found[chosen] && `command-${chosen}`} aria-label="Search and commands"
        placeholder="Where to, or what to do?" autoFocus value={text} onKeyDown={key} onChange={(event) => (setText(event.target.value), setAt(0))} />
      <ul id="commands" role="listbox" aria-label="Found">
        {found.map((command, i) => (
          <li key={command.kind + command.title} id={`command-${i}`} role="option" aria-selected={i === chosen} onPointerMove={() => setAt(i)} onClick={() => run(command)}>
            <span>{command.title}</span><span className="quiet">{command.kind}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="quiet">Nothing has that name.</p>}
    </dialog>
  )
}

/** Whether all words are in a text, in any order. */
function matches(text: string, words: string): boolean {
  const lower = text.toLowerCase()
  return words.toLowerCase().split(/\s+/).every((word) => lower.includes(word))
}

function useCommands(): Command[] {
  const navigate = useNavigate()
  const allSources = useQuery(sources()).data
  const allPlugins = useQuery(plugins()).data
  return useMemo(() => {
    const page = (title: string, to: string): Command => ({ title, kind: 'Page', run: () => void navigate({ to }) })
    return [
      page('Home', '/home'), page('Explore', '/explore'), page('Data sources', '/datasources'), page('Plugins', '/plugins'), page('Live', '/live'), page('Resources', '/resources'),
      page('Add a data source', '/datasources/new'),
      ...(allSources ?? []).map((s): Command => ({
        title: s.name, kind: 'Explore',
        run: () => void navigate({ to: '/explore', search: { panes: [paneOf(s.uid)] } }),
      })),
      ...(allSources ?? []).map((s) => ({ ...page(s.name, `/datasources/${s.uid}`), kind: 'Data source' })),
      ...(allPlugins ?? []).map((p) => ({ ...page(p.name, `/plugins/${p.id}`), kind: 'Plugin' })),
      { title: 'Dark', kind: 'Theme', run: () => chooseTheme('dark') },
      { title: 'Light', kind: 'Theme', run: () => chooseTheme('light') },
      { title: 'Like the system', kind: 'Theme', run: () => chooseTheme('system') },
    ]
  }, [allSources, allPlugins, navigate])
}
