import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { sources } from '../api/queries.ts'
import type { Source } from '../api/types.ts'
import { paneOf } from '../explore/state.ts'
import { HealthBadge } from '../ui/Badge.tsx'
import { Filter, matches } from '../ui/Filter.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'

export default function Sources() {
  const { data, error, refetch } = useQuery(sources())
  const [text, setText] = useState('')
  useTitle('Data sources')
  const found = data?.filter((s) => matches(`${s.name} ${s.uid} ${s.type} ${s.typeName} ${s.url}`, text))
  return (
    <div className="page">
      <header className="page-head">
        <h1>Data sources</h1>
        <span className="count quiet" role="status">{data && (text ? `${found!.length} of ${data.length}` : data.length)}</span>
        <div className="buttons">
          <Filter label="Filter data sources" value={text} onChange={setText} />
          <Link className="button primary" to="/datasources/new"><Icon name="plus" />Add a data source</Link>
        </div>
      </header>
      {error && <Failed error={error} again={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && (
        <Empty title="No data source yet">
          <p>A data source is one thing that a plugin asks: a database, a server, a file.</p>
          <Link className="button primary" to="/datasources/new"><Icon name="plus" />Add the first one</Link>
        </Empty>
      )}
      {data && data.length > 0 && found!.length === 0 && <p className="hint">No data source has that in its name, UID, plugin or URL.</p>}
      <ul className="rows">{found?.map((s) => <Row key={s.uid} source={s} />)}</ul>
    </div>
  )
}

function Row({ source }: { source: Source }) {
  return (
    <li className="row card">
      <Logo url={source.typeLogoUrl} />
      <div className="row-text">
        <Link to="/datasources/$uid" params={{ uid: source.uid }}>{source.name}</Link>
        <span className="quiet">{source.typeName || source.type} · {source.uid}{source.url && ` · ${source.url}`}</span>
      </div>
      <div className="row-state">
        {source.isDefault && <span className="badge plain-badge">default</span>}
        {source.readOnly && <span className="badge plain-badge" title="From a provisioning file"><Icon name="lock" />provisioned</span>}
        <HealthBadge uid={source.uid} />
      </div>
      <Link className="button" to="/explore" search={{ panes: [paneOf(source.uid)] }} aria-label={`Explore ${source.name}`}><Icon name="explore" />Explore</Link>
    </li>
  )
}
