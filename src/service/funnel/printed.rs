//! Everything that the outcome report of a programme has on paper: what the team wanted, what became of it, and what can be done now.

use super::plot::{plot_everybody, plot_groups};
use super::{FunnelQuery, Report, count, report_of};
use crate::domain::funnel::Group;
use crate::domain::ids::ProgramId;
use crate::service::charter_document::ParsedCharter;
use crate::service::context::Cx;
use crate::service::error::Error;
use crate::service::inventory::{self, InventoryQuery};
use crate::service::programs::Program;
use crate::store;

/// The outcome report of a programme.
#[derive(Clone, Debug)]
pub struct Printed {
    /// The programme.
    pub program: Program,
    /// Its charter.
    pub charter: ParsedCharter,
    /// The name of the organization that runs it.
    pub organization: String,
    /// The figures of everybody, and by audience.
    pub by_audience: Report,
    /// The figures of everybody, and by school.
    pub by_school: Report,
    /// The shares of everybody, as SVG.
    pub plot: String,
    /// The main shares of each audience and of each school; none where there is no such table.
    pub group_plots: [Option<String>; 2],
    /// What the organization counts skills for; none while it has not said so.
    pub purpose: Option<String>,
    /// What everybody of the organization is told of skills; none where there is no inventory for the reader.
    pub inventory: Option<inventory::Report>,
}

/// `POST /programs/{id}/report`: the whole report, counted at one time.
///
/// # Errors
/// As of [`super::find`].
pub fn find_printed(cx: &mut Cx<'_>, id: ProgramId, is_exact: bool) -> Result<Printed, Error> {
    let counted = count(cx, id, is_exact)?;
    let query = |by| FunnelQuery { by: Some(by), group: None, is_exact };
    let by_audience = report_of(cx, &counted, &query(Group::Audience))?;
    let by_school = report_of(cx, &counted, &query(Group::School))?;
    let owner = counted.program.organization;
    let organization = store::organizations::find(cx.conn, owner)?;
    let purpose = store::inventory::find_purpose_in_force(cx.conn, owner)?;
    // Who may read the figures is not always somebody who may read the inventory, and not every programme is a whole district's.
    let inventory = match inventory::find(cx, &InventoryQuery::whole(owner)) {
        Ok(report) => Some(report),
        Err(Error::Denied(_) | Error::WrongState { .. } | Error::Invalid { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(Printed {
        plot: plot_everybody(&by_audience),
        group_plots: [plot_groups(&by_audience, "audience"), plot_groups(&by_school, "school")],
        organization: organization.map(|found| found.name).unwrap_or_default(),
        program: counted.program,
        charter: counted.charter,
        by_audience,
        by_school,
        purpose,
        inventory,
    })
}
