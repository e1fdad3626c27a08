//! Staff get ready: a second factor, a fresh code for weighty decisions, and a moderator.

use anyhow::{bail, ensure};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Stage;
use crate::authenticator::Authenticator;
use crate::client::ClientError;
use crate::inbox::Contact;
use crate::people::{self, Person};

#[derive(Deserialize)]
struct Enrolment {
    secret: SecretString,
}

#[derive(Deserialize)]
struct Profile {
    role: String,
}

/// The super admin logs in, enrols an authenticator the first time, and gives a fresh code.
pub(super) async fn super_admin_arrives(stage: &mut Stage, phone: &str) -> anyhow::Result<Person> {
    let admin = stage.enter("The super admin", Contact::Phone(phone.to_owned()), None).await?;
    ensure!(
        admin.role == "SUPER_ADMIN",
        "this person's role is {}; `gateway create-admin --phone {phone}` makes a super admin",
        admin.role
    );
    stage.tale.step("The super admin opens the list of people, which is for staff.");
    let list = stage.gateway.get("/api/users").query(&[("limit", "1")]).bearer(&admin.access);
    let mut authenticator = match list.done().await {
        Ok(()) => {
            stage.tale.saw("It opens: an authenticator was enrolled in an earlier story.");
            remembered(stage, &admin)?
        }
        Err(ClientError::Refused { problem, .. }) if problem.code == "totp_enrolment_required" => {
            stage.tale.saw(format!("Refused: {}.", problem.detail));
            enrols(stage, "The super admin", &admin).await?
        }
        Err(error) => return Err(error.into()),
    };
    stage.drawer.keep(&admin.id, &authenticator)?;
    steps_up(stage, &admin, &mut authenticator).await?;
    stage.drawer.keep(&admin.id, &authenticator)?;
    Ok(admin)
}

fn remembered(stage: &Stage, admin: &Person) -> anyhow::Result<Authenticator> {
    match stage.drawer.take(&admin.id)? {
        Some(authenticator) => Ok(authenticator),
        None => bail!(
            "an authenticator is enrolled whose secret is not in {}: tell the story with the file that has it \
             (DGT_DEMO_STATE), as another super admin (DGT_DEMO_SUPER_ADMIN_PHONE), or on a fresh database",
            stage.drawer.path().display()
        ),
    }
}

/// Somebody of the staff enrols an authenticator and proves with a code that it works.
async fn enrols(stage: &mut Stage, who: &str, person: &Person) -> anyhow::Result<Authenticator> {
    stage.tale.step(format!("{who} enrols an authenticator and confirms it with its code."));
    let enrol = stage.gateway.post("/api/auth/totp/enrol").bearer(&person.access);
    let enrolment: Enrolment = enrol.send().await?;
    let mut authenticator = Authenticator::scan(enrolment.secret.expose_secret())?;
    let code = authenticator.code(&stage.ambient).await?;
    let body = json!({ "code": code.expose_secret() });
    stage.gateway.post("/api/auth/totp/confirm").bearer(&person.access).json(&body).done().await?;
    stage.tale.saw("Confirmed, with recovery codes for the day the phone is lost.");
    Ok(authenticator)
}

async fn steps_up(
    stage: &mut Stage,
    person: &Person,
    authenticator: &mut Authenticator,
) -> anyhow::Result<()> {
    stage.tale.step("The super admin gives a fresh code, as appointing people needs one.");
    let wait = authenticator.wait(&stage.ambient);
    if wait > 0 {
        stage.tale.saw(format!("A code counts once: waiting {wait} s for the next one."));
    }
    let code = authenticator.code(&stage.ambient).await?;
    let body = json!({ "code": code.expose_secret() });
    stage.gateway.post("/api/auth/step-up").bearer(&person.access).json(&body).done().await?;
    stage.tale.saw("Accepted; it counts for five minutes.");
    Ok(())
}

/// A new member logs in, who is to become a moderator.
pub(super) async fn member_arrives(stage: &mut Stage) -> anyhow::Result<Person> {
    let contact = people::random_phone(&stage.ambient);
    stage.enter("Meera, who is new,", contact, Some("Meera Iyer")).await
}

/// The member becomes a moderator, with an authenticator of their own.
pub(super) async fn moderator_is_appointed(
    stage: &mut Stage,
    admin: &Person,
    member: Person,
) -> anyhow::Result<Person> {
    stage.tale.step("The super admin makes Meera a moderator.");
    let path = format!("/api/users/{}/role", member.id);
    let body = json!({ "role": "MODERATOR" });
    let appointed: Profile = stage.gateway.put(path).bearer(&admin.access).json(&body).send().await?;
    ensure!(appointed.role == "MODERATOR", "the role is {} afterwards", appointed.role);
    let refusal = stage.gateway.get("/api/users/me").bearer(&member.access).refusal().await?;
    ensure!(refusal.status == 401, "a session from before the new role goes on: {refusal}");
    stage.tale.saw("Her role is MODERATOR. Sessions from before have ended.");
    let moderator = stage.enter("Meera", member.contact, None).await?;
    enrols(stage, "Meera", &moderator).await?;
    Ok(moderator)
}
