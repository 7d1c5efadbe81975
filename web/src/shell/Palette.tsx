import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { client, orderPlugin, plugins, sources, user } from '../api/queries.ts'
import { paneOf } from '../explore/state.ts'
import { matches } from '../ui/Filter.tsx'
import { toast } from '../ui/toast.tsx'
import { signOut } from './session.ts'
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
  const found = useMemo(() => search(commands, text), [commands, text])
  const list = useRef<HTMLUListElement>(null)
  // As long as it is in the document, closing it gives the focus back.
  useLayoutEffect(() => {
    const opened = dialog.current!
    opened.showModal()
    return () => opened.close()
  }, [])
  const chosen = Math.min(at, found.length - 1)
  useEffect(() => {
    void list.current!.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const run = (command?: Command) => {
    if (!command) return
    onClose()
    command.run()
  }
  const key = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step && found.length) setAt((chosen + step + found.length) % found.length)
    else if (event.key === 'Enter') run(found[chosen])
    else return
    event.preventDefault()
  }
  return (
    <dialog ref={dialog} className="palette" aria-label="Search and commands" onCancel={(event) => (event.preventDefault(), onClose())}
      onPointerDown={(event) => event.target === event.currentTarget && onClose()}>
      <input type="text" role="combobox" aria-expanded="true" aria-controls="commands" aria-activedescendant={found[chosen] && `command-${chosen}`} aria-label="Search and commands"
        placeholder="Where to, or what to do?" autoFocus value={text} onKeyDown={key} onChange={(event) => (setText(event.target.value), setAt(0))} />
      <ul id="commands" ref={list} role="listbox" aria-label="Found">
        {found.map((command, i) => (
          <li key={i} id={`command-${i}`} role="option" aria-selected={i === chosen} onPointerMove={() => setAt(i)} onClick={() => run(command)}>
            <span>{command.title}</span><span className="quiet">{command.kind}</span>
          </li>
        ))}
      </ul>
      <p className="quiet" role="status">{found.length === 0 ? 'Nothing has that name.' : <span className="unseen">{found.length} found</span>}</p>
    </dialog>
  )
}

// More than that nobody reads.
const most = 30

/** What has all words in it; what begins with the first one comes first. */
function search(commands: Command[], text: string): Command[] {
  const found = commands.filter((c) => matches(`${c.kind} ${c.title}`, text))
  const start = text.trim().toLowerCase()
  const begins = (c: Command) => Number(c.title.toLowerCase().startsWith(start))
  return (start ? found.toSorted((a, b) => begins(b) - begins(a)) : found).slice(0, most)
}

function useCommands(): Command[] {
  const navigate = useNavigate()
  const allSources = useQuery(sources()).data
  const allPlugins = useQuery(plugins()).data
  const me = useQuery(user()).data
  return useMemo(() => {
    const page = (title: string, to: string, kind = 'Page'): Command => ({ title, kind, run: () => void navigate({ to }) })
    const theme = (title: string, to: Parameters<typeof chooseTheme>[0]): Command => ({ title, kind: 'Theme', run: () => chooseTheme(to) })
    const running = (allPlugins ?? []).filter((p) => p.process.state !== 'no backend')
    return [
      page('Home', '/home'), page('Explore', '/explore'), page('Live', '/live'), page('Resources', '/resources'), page('Data sources', '/datasources'), page('Plugins', '/plugins'),
      page('Add a data source', '/datasources/new'),
      ...(allSources ?? []).map((s): Command => ({
        title: s.name, kind: 'Explore',
        run: () => void navigate({ to: '/explore', search: { panes: [paneOf(s.uid)] } }),
      })),
      ...(allSources ?? []).map((s) => page(s.name, `/datasources/${s.uid}`, 'Data source')),
      ...(allPlugins ?? []).map((p) => page(p.name, `/plugins/${p.id}`, 'Plugin')),
      ...running.filter((p) => p.type === 'datasource').map((p): Command => ({
        title: p.name, kind: 'Add a data source', run: () => void navigate({ to: '/datasources/new', search: { plugin: p.id } }),
      })),
      ...(me?.role === 'Admin' ? running.flatMap((p) => ordersOf(p.process.state).map((o): Command => ({ title: p.name, kind: titles[o], run: () => void order(p.id, o) }))) : []),
      theme('Dark', 'dark'), theme('Light', 'light'), theme('Like the system', 'system'),
      ...(me && me.login !== 'anonymous' ? [{ title: 'Sign out', kind: me.login, run: () => void signOut() }] : []),
    ]
  }, [allSources, allPlugins, me, navigate])
}

type Order = Parameters<typeof orderPlugin>[1]

const titles: Record<Order, string> = { start: 'Start plugin', stop: 'Stop plugin', restart: 'Restart plugin' }

const ordersOf = (state: string): Order[] => (state === 'stopped' || state === 'quarantined' ? ['start'] : ['restart', 'stop'])

async function order(id: string, what: Order) {
  try {
    toast((await orderPlugin(id, what)).message)
  } catch (error) {
    toast((error as Error).message, true)
  }
  await client.invalidateQueries({ queryKey: ['plugins'] })
}
