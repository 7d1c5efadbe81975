import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { user } from '../api/queries.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Menu } from '../ui/Menu.tsx'
import { Failed } from '../ui/states.tsx'
import { Toasts } from '../ui/toast.tsx'
import { Mark } from './Mark.tsx'
import { openPalette, Palette } from './Palette.tsx'
import { SignIn } from './SignIn.tsx'
import { signOut, useSignedOut } from './session.ts'
import { chooseTheme, useChosenTheme } from './theme.ts'

const rooms: { to: string; title: string; icon: IconName }[] = [
  { to: '/home', title: 'Home', icon: 'home' },
  { to: '/explore', title: 'Explore', icon: 'explore' },
  { to: '/datasources', title: 'Data sources', icon: 'sources' },
  { to: '/plugins', title: 'Plugins', icon: 'plugins' },
  { to: '/live', title: 'Live', icon: 'live' },
  { to: '/resources', title: 'Resources', icon: 'resources' },
]

/** What is around every page. */
export function Shell() {
  const me = useQuery(user())
  const out = useSignedOut()
  const path = useLocation().pathname
  useEffect(() => {
    const room = rooms.find((r) => path.startsWith(r.to))
    document.title = room ? `${room.title} · Plugboard` : 'Plugboard'
  }, [path])
  return (
    <div className="shell">
      <a className="skip" href="#page">Skip to the page</a>
      <nav className="rail" aria-label="Main">
        <Link to="/home" className="brand" aria-label="Plugboard"><Mark /><span>Plugboard</span></Link>
        <ul>
          {rooms.map((room) => (
            <li key={room.to}><Link to={room.to} title={room.title}><Icon name={room.icon} /><span>{room.title}</span></Link></li>
          ))}
        </ul>
        <div className="rail-foot">
          <button type="button" className="rail-button" title="Search and commands (Ctrl+K)" onClick={openPalette}>
            <Icon name="search" /><span>Search <kbd>Ctrl K</kbd></span>
          </button>
          <ThemeMenu />
          {me.data && me.data.login !== 'anonymous' && (
            <button type="button" className="rail-button" title={`Sign out ${me.data.login}`} onClick={signOut}><Icon name="leave" /><span>Sign out</span></button>
          )}
        </div>
      </nav>
      <main id="page" tabIndex={-1}>
        {me.data ? <Outlet /> : me.error && !out ? <Failed error={me.error} /> : null}
      </main>
      <Palette />
      <Toasts />
      {out && <SignIn />}
    </div>
  )
}

function ThemeMenu() {
  const chosen = useChosenTheme()
  const icon = chosen === 'dark' ? 'moon' : chosen === 'light' ? 'sun' : 'system'
  return (
    <Menu className="rail-button" name="Theme" label={<><Icon name={icon} /><span>Theme</span></>} choices={[
      { title: 'Like the system', act: () => chooseTheme('system') },
      { title: 'Light', act: () => chooseTheme('light') },
      { title: 'Dark', act: () => chooseTheme('dark') },
    ]} />
  )
}
