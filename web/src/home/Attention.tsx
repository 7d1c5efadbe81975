import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { client, health, pluginFaults, user } from '../api/queries.ts'
import type { Plugin, PluginFault, Source } from '../api/types.ts'
import { OrderButton } from '../plugins/OrderButton.tsx'
import { ordersFor, useOrders } from '../plugins/orders.ts'
import { adviceOf } from '../plugins/Trouble.tsx'
import { Badge, StateBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'

/** What there is to mend, as far as it is known. */
export interface Trouble {
  ailing: Plugin[]
  crowded: Plugin[]
  ill: { source: Source; check: Check }[]
  faults: PluginFault[]
  count: number
  /** Whether data sources are still being asked how they are. */
  asking: boolean
}

export function useTrouble(plugins: Plugin[], sources: Source[]): Trouble {
  const admin = useQuery(user()).data?.role === 'Admin'
  const faults = useQuery({ ...pluginFaults(), enabled: admin }).data ?? []
  const checks = useQueries({ queries: sources.map((s) => health(s.uid)) })
  const ailing = plugins.filter((p) => adviceOf(p))
  const crowded = plugins.filter((p) => p.process.waiting > 0 && !adviceOf(p))
  // Of what stands on an ailing plugin, that is the cause.
  const ill = sources.map((source, i) => ({ source, check: checks[i] }))
    .filter(({ source, check }) => (check.error || check.data?.status === 'ERROR') && !ailing.some((p) => p.id === source.type))
  const count = ailing.length + crowded.length + ill.length + faults.length
  return { ailing, crowded, ill, faults, count, asking: checks.some((c) => c.isPending) }
}

/** What does not work, why, and what there is to do about it. It may grow: nothing is below it on a wide screen. */
export function Attention({ trouble: { ailing, crowded, ill, faults, count, asking }, sources }: { trouble: Trouble; sources: Source[] }) {
  const admin = useQuery(user()).data?.role === 'Admin'
  return (
    <section className={`card attention ${count ? 'needed' : ''}`} aria-labelledby="attention">
      <h2 id="attention">Needs attention</h2>
      {count === 0 && (asking
        ? <p className="passed"><span className="spinner" /><span>Asking the data sources how they are…</span></p>
        : <p className="passed"><Icon name="check" /><span>All is well: nothing needs you.</span></p>)}
      <ul className="list">
        {ailing.map((p) => <Ailing key={p.id} plugin={p} sources={sources.filter((s) => s.type === p.id)} admin={admin} />)}
        {crowded.map((p) => (
          <Item key={p.id} badge={<Badge tone="warn">busy</Badge>} name={<Link to="/plugins/$id" params={{ id: p.id }}>{p.name}</Link>} why={`${p.process.calls} calls run and ${p.process.waiting} wait for their turn.`}
            advice="Ask it for less at once, or let it take more (--plugin-calls, --source-calls)." />
        ))}
        {ill.map(({ source, check }) => <Ill key={source.uid} source={source} check={check} admin={admin} />)}
        {faults.map((f) => (
          <Item key={f.path} badge={<Badge tone="bad">not loaded</Badge>} name={<b>{f.pluginId || 'A plugin'}</b>} why={f.reason} advice={<>It lies in <code>{f.path}</code>. The server looks for plugins when it starts.</>} />
        ))}
      </ul>
    </section>
  )
}

interface ItemProps {
  badge: ReactNode
  name: ReactNode
  why?: string
  advice?: ReactNode
  /** The buttons that do something about it. */
  children?: ReactNode
}

function Item({ badge, name, why, advice, children }: ItemProps) {
  return (
    <li>
      <div className="attention-text">
        <div>{badge}{name}</div>
        {why && <p>{why}</p>}
        {advice && <p className="quiet">{advice}</p>}
      </div>
      {children && <div className="buttons">{children}</div>}
    </li>
  )
}

function Ailing({ plugin, sources, admin }: { plugin: Plugin; sources: Source[]; admin: boolean }) {
  const orders = useOrders(plugin)
  const [likeliest] = ordersFor(plugin)
  const { state, lastError } = plugin.process
  return (
    <Item badge={<StateBadge state={state} />} name={<Link to="/plugins/$id" params={{ id: plugin.id }}>{plugin.name}</Link>} why={orders.error?.message ?? (state === 'stopped' ? '' : lastError)} advice={[adviceOf(plugin), needing(sources)].join(' ')}>
      {admin && likeliest && <OrderButton orders={orders} possible={likeliest} />}
    </Item>
  )
}

function needing(sources: Source[]): string {
  return sources.length ? `Data sources that ask it: ${sources.map((s) => s.name).join(', ')}.` : ''
}

interface Check {
  data?: { message: string }
  error: Error | null
  isFetching: boolean
}

function Ill({ source, check, admin }: { source: Source; check: Check; admin: boolean }) {
  return (
    <Item badge={<Badge tone="bad">ill</Badge>} name={<Link to="/datasources/$uid" params={{ uid: source.uid }}>{source.name}</Link>} why={check.data?.message ?? check.error?.message}>
      <button type="button" className="button" disabled={check.isFetching} onClick={() => client.refetchQueries({ queryKey: health(source.uid).queryKey })}>
        {check.isFetching ? <span className="spinner" /> : <Icon name="restart" />}Check again
      </button>
      {admin && <Link className="button" to="/datasources/$uid" params={{ uid: source.uid }}>Settings</Link>}
    </Item>
  )
}
