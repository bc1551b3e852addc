//! `banyan demo`: makes a province, plays its hospitals against the gateway over real HTTPS, and explains each step.

mod screen;
mod story;

use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::App;
use crate::app::AppError;
use crate::command::Exit;
use crate::command::demo::screen::Screen;
use crate::command::demo::story::Story;
use crate::command::sandbox_folder;
use crate::command::serve;
use crate::command::serve::complain;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::sandbox::folder::Folder;
use crate::sandbox::folder::Ports;
use crate::sandbox::province::Province;
use crate::service::seams::Clock;

/// See it all at once: a province is made, hospitals settle stays over real HTTPS, every step is explained, and the
/// pages stay open. Nothing in it is real; nothing is left behind unless --dir is given.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan demo
  banyan demo --once

Exit codes: 0 every figure came out as worked out by hand, 1 something differed, 3 the machine failed.")]
pub struct Arguments {
    /// End after the story instead of staying up with the pages.
    #[arg(long)]
    pub once: bool,
    /// Keep the province here; it can be served again with `banyan serve --sandbox`.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Insured in the province, the people of the story apart.
    #[arg(long, default_value_t = 210, value_parser = clap::value_parser!(u64).range(21..=1_000_000))]
    pub persons: u64,
}

const SEED: u64 = 1;

pub async fn run(arguments: &Arguments, clock: Arc<dyn Clock>, out: &mut (dyn Write + Send)) -> Exit {
    let place = match Place::find(arguments) {
        Ok(place) => place,
        Err(cause) => return complain(&format!("no folder for the province: {cause}"), Exit::CannotReach),
    };
    let ended = play(arguments, &place.path, clock, out).await;
    place.leave();
    ended.unwrap_or_else(|cause| complain(&cause, Exit::CannotReach))
}

async fn play(
    arguments: &Arguments,
    path: &Path,
    clock: Arc<dyn Clock>,
    out: &mut (dyn Write + Send),
) -> Result<Exit, String> {
    let mut screen = Screen::new(out);
    screen.open(path).map_err(in_words)?;
    let today = clock.now().day();
    let month = today.month();
    let province = Province::new(sandbox_folder::size(SEED, arguments.persons), today);
    let folder = Folder::new(path);
    if !folder.is_made() {
        sandbox_folder::make(&folder, &province, Ports::USUAL, Arc::clone(&clock)).await?;
    }
    let config = Gateway::read(&folder.settings()).map_err(|faults| faults.to_string())?;
    let app = start(config, clock, arguments.once).await.map_err(|cause| told(&cause))?;
    let story = Story::new(&app, &folder, &province)?;
    let differences = story.play(&mut screen, arguments.once).await?;
    // Only now: Ctrl-C ends a story at once.
    let signals = (!arguments.once).then(serve::Signals::follow).transpose();
    let signals = signals.map_err(|cause| format!("signals cannot be followed: {cause}"))?;
    screen.close(differences, arguments.once, path, &app.addresses(), month).map_err(in_words)?;
    if let Some(signals) = signals {
        return Ok(serve::until_stopped(app, signals, &folder.settings()).await);
    }
    app.drain().await;
    Ok(if differences == 0 { Exit::Done } else { Exit::Refused })
}

/// On the usual ports; where one is taken, or nobody will look, on any.
async fn start(config: Gateway, clock: Arc<dyn Clock>, once: bool) -> Result<App, AppError> {
    let elsewhere = any_port(config.clone());
    if once {
        return App::start(elsewhere, clock, None).await;
    }
    match App::start(config, Arc::clone(&clock), None).await {
        Err(AppError::Bind { .. }) => App::start(elsewhere, clock, None).await,
        started => started,
    }
}

fn any_port(mut config: Gateway) -> Gateway {
    let faces = [
        &mut config.hospital.address,
        &mut config.persons.address,
        &mut config.center.address,
        &mut config.operators,
    ];
    faces.into_iter().for_each(|address| address.set_port(0));
    config
}

fn in_words(cause: io::Error) -> String {
    format!("the story cannot be written: {cause}")
}

/// Where the province lies: a folder that was asked for, or one that goes when the demonstration ends.
struct Place {
    path: PathBuf,
    temporary: bool,
}

impl Place {
    fn find(arguments: &Arguments) -> io::Result<Place> {
        if let Some(path) = &arguments.dir {
            return Ok(Place { path: path.clone(), temporary: false });
        }
        let path = std::env::temp_dir().join(format!("banyan-demo-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        Ok(Place { path, temporary: true })
    }

    fn leave(&self) {
        if self.temporary {
            // What cannot be removed lies in the system's folder for temporary files.
            let _left = std::fs::remove_dir_all(&self.path);
        }
    }
}
