package main

import (
	"math"
	"time"
)

// The usual low-precision formulas for the position of the sun, good to about
// a hundredth of a degree for dates within a century of 2000.

// j2000 is noon of 1 January 2000, from which the formulas count days.
var j2000 = time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)

// sunriseAltitude is where the centre of the sun stands when its upper limb
// touches the horizon, refraction included.
const sunriseAltitude = -0.833

// altitude returns the sun's height over the horizon in degrees.
func altitude(at time.Time, c city) float64 {
	days := at.Sub(j2000).Hours() / 24
	ascension, declination := sun(days)
	sidereal := math.Mod(280.46061837+360.98564736629*days, 360)
	hourAngle := radians(sidereal+c.Longitude) - ascension
	return degrees(math.Asin(math.Sin(radians(c.Latitude))*math.Sin(declination) +
		math.Cos(radians(c.Latitude))*math.Cos(declination)*math.Cos(hourAngle)))
}

// daylight returns the hours between sunrise and sunset of a day: 0 in polar
// night, 24 where the sun does not set.
func daylight(day time.Time, c city) float64 {
	_, declination := sun(day.Sub(j2000).Hours() / 24)
	latitude := radians(c.Latitude)
	cos := (math.Sin(radians(sunriseAltitude)) - math.Sin(latitude)*math.Sin(declination)) /
		(math.Cos(latitude) * math.Cos(declination))
	return 2 * degrees(math.Acos(min(1, max(-1, cos)))) / 15
}

// sun returns its right ascension and declination in radians.
func sun(days float64) (ascension, declination float64) {
	anomaly := radians(357.529 + 0.98560028*days)
	longitude := radians(280.459 + 0.98564736*days + 1.915*math.Sin(anomaly) + 0.020*math.Sin(2*anomaly))
	obliquity := radians(23.439 - 0.00000036*days)
	ascension = math.Atan2(math.Cos(obliquity)*math.Sin(longitude), math.Cos(longitude))
	return ascension, math.Asin(math.Sin(obliquity) * math.Sin(longitude))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
func degrees(radians float64) float64 { return radians * 180 / math.Pi }
