import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { plugins, sources, user } from '../api/queries.ts'
import type { Plugin, Process } from '../api/types.ts'
import { formatSeconds, formatTime } from '../frame/format.ts'
import { StateBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { Life } from './Life.tsx'
import { LogLines } from './LogLines.tsx'
import { Metrics } from './Metrics.tsx'
import { OrderButton } from './OrderButton.tsx'
import { ordersFor, useOrders } from './orders.ts'
import { signatureOf } from './signature.ts'
import { Trouble } from './Trouble.tsx'
import { Versions } from './Versions.tsx'

const Usage = lazy(() => import('./Usage.tsx'))

export default function PluginPage() {
  const { id } = useParams({ from: '/plugins/$id' })
  const { data, error } = useQuery(plugins())
  if (!data) return error ? <Failed error={error} /> : <Loading />
  const plugin = data.find((p) => p.id === id)
  if (!plugin) return <Empty title={`No plugin ${id} is installed`}><Link to="/plugins">All plugins</Link></Empty>
  return <OnePlugin key={id} plugin={plugin} error={error} />
}

function OnePlugin({ plugin, error }: { plugin: Plugin; error: Error | null }) {
  const orders = useOrders(plugin)
  // How processes are, and what they say, is the admins' business.
  const admin = useQuery(user()).data?.role === 'Admin'
  const runs = plugin.process.state !== 'no backend'
  return (
    <div className="page">
      <header className="page-head">
        <Logo url={plugin.info.logos.small} />
        <h1>{plugin.name}</h1>
        <StateBadge state={plugin.process.state} />
        <span className="spread" />
        {admin && <div className="buttons">{ordersFor(plugin).map((possible, i, { length }) => <OrderButton key={possible.order} orders={orders} possible={possible} primary={i === 0 && (length === 1 || possible.order === 'start')} />)}</div>}
        {plugin.info.description && <p className="quiet">{plugin.info.description}</p>}
      </header>
      {error && <Failed error={error} />}
      {orders.error && <Failed error={orders.error} />}
      <Trouble plugin={plugin} />
      <div className="columns">
        <div className="column">
          <About plugin={plugin} />
          {admin && <Versions plugin={plugin} />}
        </div>
        {admin && runs && <Sandbox plugin={plugin} />}
      </div>
      {admin && runs && <Suspense fallback={<section className="card"><header /><div className="usage"><Loading /></div></section>}><Usage id={plugin.id} /></Suspense>}
      {admin && runs && <Life id={plugin.id} />}
      {admin && ['ready', 'degraded'].includes(plugin.process.state) && <Metrics id={plugin.id} />}
      {admin && runs && <LogLines id={plugin.id} />}
    </div>
  )
}

function About({ plugin }: { plugin: Plugin }) {
  const { process, info } = plugin
  const runs = process.state !== 'no backend'
  const used = useQuery(sources()).data?.filter((s) => s.type === plugin.id) ?? []
  const facts: [string, React.ReactNode][] = [
    ['Id', <code>{plugin.id}</code>],
    ['By', info.author.name],
    ['Signature', signatureOf(plugin)],
    ['Runs at', process.address ? <code>{process.address}</code> : ''],
    ['Process', processOf(process)],
    ['Restarts', runs ? process.restarts : ''],
    ['Calls', runs ? `${process.calls} running, ${process.waiting} waiting` : ''],
    ['Streams', runs ? `${process.streams} running` : ''],
    ['Data sources', used.length ? used.map((s, i) => <span key={s.uid}>{i > 0 && ', '}<Link to="/datasources/$uid" params={{ uid: s.uid }}>{s.name}</Link></span>) : 'none'],
  ]
  return (
    <section className="card" aria-labelledby="about">
      <h2 id="about">About</h2>
      <dl className="facts">{facts.map(([name, value]) => value !== '' && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  )
}

function processOf({ state, pid, since, address }: Process): React.ReactNode {
  if (state === 'no backend' || !since) return ''
  const age = <time dateTime={since} title={formatTime(Date.parse(since))}>{formatSeconds(Math.round((Date.now() - Date.parse(since)) / 1000), 0)}</time>
  if (pid) return <><code>{pid}</code>, {state} for {age}</>
  return address ? <>{state} for {age}</> : <>none, {state} for {age}</>
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
      ) : <p className="quiet">{plugin.process.address ? 'It runs elsewhere: what it may do there is not known here.' : 'There is no process to confine.'}</p>}
    </section>
  )
}
