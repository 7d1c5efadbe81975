import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { client, orderPlugin, plugins, sources } from '../api/queries.ts'
import type { Plugin } from '../api/types.ts'
import { formatAgo, formatTime } from '../frame/format.ts'
import { StateBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { Life } from './Life.tsx'
import { LogLines } from './LogLines.tsx'
import { signatureOf } from './signature.ts'

const Metrics = lazy(() => import('./Metrics.tsx'))

export default function PluginPage() {
  const { id } = useParams({ from: '/plugins/$id' })
  const { data, error } = useQuery(plugins())
  if (!data) return error ? <Failed error={error} /> : <Loading />
  const plugin = data.find((p) => p.id === id)
  if (!plugin) return <Empty title={`No plugin ${id} is installed`}><Link to="/plugins">All plugins</Link></Empty>
  const runs = plugin.process.state !== 'no backend'
  return (
    <div className="page">
      <header className="page-head">
        <Logo url={plugin.info.logos.small} />
        <h1>{plugin.name}</h1>
        <StateBadge state={plugin.process.state} />
        <span className="spread" />
        {runs && <Orders plugin={plugin} />}
        {plugin.info.description && <p className="quiet">{plugin.info.description}</p>}
      </header>
      {error && <Failed error={error} />}
      {plugin.process.lastError && plugin.process.state !== 'ready' && (
        <Failed error={new Error(plugin.process.lastError)}>
          <p className="quiet">{adviceOf(plugin)}</p>
        </Failed>
      )}
      <div className="columns">
        <About plugin={plugin} />
        {runs && <Sandbox plugin={plugin} />}
      </div>
      {runs && <Life id={id} />}
      {plugin.process.pid !== undefined && <Suspense><Metrics id={id} /></Suspense>}
      {runs && <LogLines id={id} />}
    </div>
  )
}

function adviceOf({ process }: Plugin): string {
  switch (process.state) {
    case 'quarantined': return 'It has crashed too often and is left alone. Start it again once the cause is gone; its last words are in the history below.'
    case 'backing-off': return `It is started again${process.nextStart ? ` at ${formatTime(Date.parse(process.nextStart))}` : ' soon'}.`
    case 'degraded': return 'It runs, but does not answer: if that goes on, another process takes its place.'
    default: return ''
  }
}

const orders = {
  start: { title: 'Start', icon: 'play' },
  restart: { title: 'Restart', icon: 'restart' },
  stop: { title: 'Stop', icon: 'stop' },
} as const

type Order = keyof typeof orders

/** What can be done about a process as it is. */
function Orders({ plugin }: { plugin: Plugin }) {
  const [busy, setBusy] = useState<Order>()
  const { state } = plugin.process
  const possible: Order[] = state === 'stopped' || state === 'quarantined' ? ['start'] : ['restart', 'stop']
  const give = async (order: Order) => {
    setBusy(order)
    try {
      toast((await orderPlugin(plugin.id, order)).message)
    } catch (error) {
      toast((error as Error).message, true)
    }
    await client.invalidateQueries({ queryKey: ['plugins'] })
    setBusy(undefined)
  }
  return (
    <div className="buttons">
      {possible.map((order) => (
        <button key={order} type="button" className={`button ${order === 'start' ? 'primary' : ''}`} disabled={busy !== undefined} onClick={() => give(order)}>
          {busy === order ? <span className="spinner" /> : <Icon name={orders[order].icon} />}
          {order === 'start' && state === 'quarantined' ? 'Release from quarantine' : orders[order].title}
        </button>
      ))}
    </div>
  )
}

function About({ plugin }: { plugin: Plugin }) {
  const { process, info } = plugin
  const used = useQuery(sources()).data?.filter((s) => s.type === plugin.id) ?? []
  const facts: [string, React.ReactNode][] = [
    ['Id', <code>{plugin.id}</code>],
    ['Version', info.version],
    ['By', info.author.name],
    ['Signature', signatureOf(plugin)],
    ['Process', process.pid ? <><code>{process.pid}</code>{process.since && `, since ${formatTime(Date.parse(process.since))}`}</> : process.since ? formatAgo(process.since) : ''],
    ['Restarts', process.restarts],
    ['Calls', `${process.calls} running, ${process.waiting} waiting`],
    ['Data sources', used.length ? used.map((s, i) => <span key={s.uid}>{i > 0 && ', '}<Link to="/datasources/$uid" params={{ uid: s.uid }}>{s.name}</Link></span>) : 'none'],
  ]
  return (
    <section className="card" aria-labelledby="about">
      <h2 id="about">About</h2>
      <dl className="facts">{facts.map(([name, value]) => value !== '' && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  )
}

/** How a process is confined: what is on, and why the rest is not. */
function Sandbox({ plugin }: { plugin: Plugin }) {
  const { sandbox, level } = plugin.process
  return (
    <section className="card" aria-labelledby="sandbox">
      <header><h2 id="sandbox">Sandbox</h2>{level && <span className="badge plain-badge">level {level}</span>}</header>
      {sandbox?.length ? (
        <ul className="tiers">
          {sandbox.map((tier) => (
            <li key={tier.tier} className={tier.on ? 'on' : ''}>
              <Icon name={tier.on ? 'check' : 'close'} /><div><b>{tier.tier}</b><span className="unseen">{tier.on ? ' is on' : ' is off'}</span><p className="quiet">{tier.detail}</p></div>
            </li>
          ))}
        </ul>
      ) : <p className="quiet">There is no process to confine.</p>}
    </section>
  )
}
