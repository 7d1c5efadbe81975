// Dark or light: what the system says, unless somebody chose.
import { useSyncExternalStore } from 'react'

export type Theme = 'system' | 'light' | 'dark'

const key = 'plugboard.theme'
const listeners = new Set<() => void>()
const system = matchMedia('(prefers-color-scheme: dark)')

export const chosenTheme = (): Theme => (localStorage.getItem(key) as Theme | null) ?? 'system'

export function chooseTheme(theme: Theme) {
  if (theme === 'system') localStorage.removeItem(key)
  else localStorage.setItem(key, theme)
  apply()
}

export function startTheme() {
  system.addEventListener('change', apply)
  apply()
}

function apply() {
  const theme = chosenTheme()
  document.documentElement.dataset.theme = theme === 'system' ? (system.matches ? 'dark' : 'light') : theme
  listeners.forEach((listener) => listener())
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** The theme that is drawn: "dark" or "light". */
export const useTheme = () => useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme as 'dark' | 'light')

export const useChosenTheme = () => useSyncExternalStore(subscribe, chosenTheme)
