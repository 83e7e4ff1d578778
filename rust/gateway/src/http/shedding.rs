//! Refuses at once what would wait for long, so that those who are let in are answered in time.

use crate::catalog::Route;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::limits::Place;

pub type Places = (Place, Option<Place>);

/// Places for a request: one of the server, and one of its route if that is limited.
///
/// # Errors
/// All places are taken.
pub fn enter(gateway: &Gateway, route: Option<&Route>) -> Result<Places, Failure> {
    let most = gateway.settings.max_in_flight;
    let place = gateway.gate.enter(most).ok_or_else(|| {
        let detail = format!("{most} requests are in flight already; try again later");
        Failure::new(Kind::Overloaded, detail)
    })?;
    let limited = route.and_then(|route| Some((route, route.limits.in_flight?)));
    let of_route = limited.map(|(route, most)| {
        route.gate.enter(most).ok_or_else(|| {
            let name = &route.name;
            let detail =
                format!("model `{name}` has {most} requests in flight already; try again later");
            Failure::new(Kind::Overloaded, detail)
        })
    });
    Ok((place, of_route.transpose()?))
}
