import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { health, pluginFaults, plugins, sources } from '../api/queries.ts'
import type { Plugin, Source } from '../api/types.ts'
import { paneOf } from '../explore/state.ts'
import { Badge, HealthBadge, StateBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Failed, Loading } from '../ui/states.tsx'

/** What runs here, and what needs somebody. */
export default function Home() {
  const all = useQuery(plugins())
  const asked = useQuery(sources())
  const error = all.error ?? asked.error
  if (!all.data || !asked.data) return error ? <Failed error={error} /> : <Loading />
  const running = all.data.filter((p) => p.process.state !== 'no backend')
  const calls = running.reduce((sum, p) => sum + p.process.calls, 0)
  return (
    <div className="page">
      <h1 className="unseen">Home</h1>
      {error && <Failed error={error} />}
      <ul className="figures">
        <Figure to="/plugins" value={`${running.filter((p) => p.process.state === 'ready').length} of ${running.length}`} title="plugins ready" />
        <Figure to="/datasources" value={asked.data.length} title={asked.data.length === 1 ? 'data source' : 'data sources'} />
        <Figure to="/live" value={calls} title={calls === 1 ? 'call running now' : 'calls running now'} />
      </ul>
      <Attention plugins={running} sources={asked.data} />
      <div className="columns">
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
    </div>
  )
}

function Figure({ to, value, title }: { to: string; value: React.ReactNode; title: string }) {
  return <li><Link className="card figure" to={to}><b>{value}</b><span className="quiet">{title}</span></Link></li>
}

/** What does not work, and where to go about it. */
function Attention({ plugins, sources }: { plugins: Plugin[]; sources: Source[] }) {
  const faults = useQuery(pluginFaults()).data ?? []
  const checks = useQueries({ queries: sources.map((s) => health(s.uid)) })
  const ailing = plugins.filter((p) => !['ready', 'starting'].includes(p.process.state))
  const ill = sources.filter((_, i) => checks[i].error || checks[i].data?.status === 'ERROR')
  if (!faults.length && !ailing.length && !ill.length) return checks.every((c) => !c.isPending) ? <p className="passed"><Icon name="check" /><span>All is well: nothing needs you.</span></p> : <p className="passed"><span className="spinner" /><span>Asking the data sources how they are…</span></p>
  return (
    <section className="card attention" aria-labelledby="attention">
      <h2 id="attention">Needs attention</h2>
      <ul className="list">
        {ailing.map((p) => (
          <li key={p.id}><StateBadge state={p.process.state} /><Link to="/plugins/$id" params={{ id: p.id }}>{p.name}</Link><span className="quiet">{p.process.state === 'stopped' ? 'Start it to use it again.' : p.process.lastError}</span></li>
        ))}
        {ill.map((s) => {
          const check = checks[sources.indexOf(s)]
          return <li key={s.uid}><Badge tone="bad">ill</Badge><Link to="/datasources/$uid" params={{ uid: s.uid }}>{s.name}</Link><span className="quiet">{check.data?.message ?? check.error?.message}</span></li>
        })}
        {faults.map((f) => <li key={f.path}><Badge tone="bad">not loaded</Badge><Link to="/plugins">{f.pluginId || f.path}</Link><span className="quiet">{f.reason}</span></li>)}
      </ul>
    </section>
  )
}
