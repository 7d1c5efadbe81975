import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { client, plugins, sources } from '../api/queries.ts'
import type { Process } from '../api/types.ts'
import { paneOf } from '../explore/state.ts'
import { HealthBadge, StateBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { Attention, useTrouble } from './Attention.tsx'

/** What runs here, and what needs somebody. */
export default function Home() {
  const all = useQuery(plugins())
  const asked = useQuery(sources())
  const error = all.error ?? asked.error
  const states = all.data?.map((p) => p.process.state).join()
  const before = useRef(states)
  useEffect(() => {
    // Data sources are as well as their plugins.
    if (before.current !== undefined && states !== before.current) void client.invalidateQueries({ queryKey: ['health'] })
    before.current = states
  }, [states])
  const running = all.data?.filter((p) => p.process.state !== 'no backend') ?? []
  const trouble = useTrouble(running, asked.data ?? [])
  if (!all.data || !asked.data) return error ? <Failed error={error} /> : <Loading />
  const sum = (of: (process: Process) => number) => running.reduce((sum, p) => sum + of(p.process), 0)
  const [calls, streams] = [sum((p) => p.calls), sum((p) => p.streams)]
  return (
    <div className="page">
      <h1 className="unseen">Home</h1>
      {error && <Failed error={error} />}
      <ul className="figures">
        <Figure to="/plugins" value={`${running.filter((p) => p.process.state === 'ready').length} of ${running.length}`} title="plugins ready" />
        <Figure to="/datasources" value={asked.data.length} title={asked.data.length === 1 ? 'data source' : 'data sources'} />
        <Figure to="/live" value={calls + streams} title={`live now: ${counted(calls, 'call')}, ${counted(streams, 'stream')}`} />
        <Figure to="/home" hash="attention" value={trouble.asking && !trouble.count ? '…' : trouble.count} title={trouble.count === 1 ? 'needs attention' : 'need attention'} tone={trouble.count ? 'warn' : ''} />
      </ul>
      <div className="columns">
        <div className="column">
          <section className="card" aria-labelledby="sources">
            <header><h2 id="sources">Data sources</h2><Link className="button quiet-button" to="/datasources/new"><Icon name="plus" />Add</Link></header>
            <ul className="list">
              {asked.data.map((s) => (
                <li key={s.uid}>
                  <Logo url={s.typeLogoUrl} /><Link to="/datasources/$uid" params={{ uid: s.uid }}>{s.name}</Link><span className="spread" /><HealthBadge uid={s.uid} />
                  <Link className="icon-button" to="/explore" search={{ panes: [paneOf(s.uid)] }} aria-label={`Explore ${s.name}`} title="Explore"><Icon name="explore" /></Link>
                </li>
              ))}
            </ul>
            {asked.data.length === 0 && <p className="quiet">None yet. <Link to="/datasources/new">Add one</Link>, and ask it in Explore.</p>}
          </section>
          <section className="card" aria-labelledby="plugins">
            <header><h2 id="plugins">Plugins</h2></header>
            <ul className="list">
              {running.map((p) => (
                <li key={p.id}><Logo url={p.info.logos.small} /><Link to="/plugins/$id" params={{ id: p.id }}>{p.name}</Link><span className="quiet">{p.info.version}</span><span className="spread" /><StateBadge state={p.process.state} /></li>
              ))}
            </ul>
          </section>
        </div>
        <Attention trouble={trouble} sources={asked.data} />
      </div>
    </div>
  )
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

interface FigureProps {
  to: string
  hash?: string
  value: React.ReactNode
  title: string
  tone?: 'warn' | ''
}

function Figure({ to, hash, value, title, tone = '' }: FigureProps) {
  return <li><Link className={`card figure ${tone}`} to={to} hash={hash}><b>{value}</b><span className="quiet">{title}</span></Link></li>
}
