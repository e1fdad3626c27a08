//! Picking people: by where they live, by what they are, a batch at a time.

use chrono::TimeDelta;
use identity::{Among, Place, ProfileChanges, Reason, StatusChange};
use kernel::{Caller, Role, UserId};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::Stage;

async fn person(stage: &Stage, number: u32, city: Option<&str>, state: Option<&str>) -> UserId {
    let user = stage.log_in(&format!("+9198765400{number:02}")).await.user.id;
    let place = |name: Option<&str>| Some(name.map(|name| Place::parse(name).unwrap()));
    let changes = ProfileChanges { city: place(city), state: place(state), ..ProfileChanges::default() };
    stage.identity.update_profile(user, &changes, None).await.unwrap();
    user
}

/// All of them, two at a time.
async fn all(stage: &Stage, among: &Among) -> Vec<UserId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let batch = stage.identity.reach_after(among, after, 2).await.unwrap();
        let Some(last) = batch.last() else { break };
        after = Some(last.user);
        found.extend(batch.iter().map(|one| one.user));
    }
    assert_eq!(stage.identity.count_among(among).await.unwrap(), u64::try_from(found.len()).unwrap());
    found
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn people_are_picked_by_place_and_role_in_the_order_of_their_ids(db: TestDb) {
        let stage = Stage::on(db);
        let mut people = Vec::new();
        for (number, city, state) in [
            (1, Some("Pune"), Some("Maharashtra")),
            (2, Some("PUNE"), Some("maharashtra")),
            (3, Some("Mumbai"), Some("Maharashtra")),
            (4, Some("पुणे"), None),
            (5, Some("pune"), None),
            (6, Some("Pune"), Some("Maharashtra")),
            (7, None, None),
        ] {
            people.push(person(&stage, number, city, state).await);
        }
        let root = stage.staff("+919876540009", Role::Admin).await.user.id;
        let city = |name: &str| Among::City(name.to_owned());
        assert_eq!(all(&stage, &city("pune")).await, [people[0], people[1], people[4], people[5]]);
        assert_eq!(all(&stage, &city("पुणे")).await, [people[3]]);
        assert_eq!(all(&stage, &city("Pun")).await, []);
        assert_eq!(all(&stage, &Among::State("MAHARASHTRA".to_owned())).await.len(), 4);
        assert_eq!(all(&stage, &Among::Role(Role::Admin)).await, [root]);
        assert_eq!(all(&stage, &Among::Everybody).await.len(), 8);
        assert_eq!(all(&stage, &Among::These(vec![people[6], people[2]])).await, [people[2], people[6]]);
        assert_eq!(all(&stage, &Among::These(Vec::new())).await, []);

        // Who moves is found where they are now, and who is blocked is not found.
        stage.wait(TimeDelta::seconds(1));
        let moved = ProfileChanges { city: Some(None), ..ProfileChanges::default() };
        stage.identity.update_profile(people[0], &moved, None).await.unwrap();
        let reason = Reason::parse("because of the test").unwrap();
        stage.identity.set_status(&Caller::system("test"), people[1], StatusChange::Ban, &reason).await.unwrap();
        assert_eq!(all(&stage, &city("pune")).await, [people[4], people[5]]);
        assert_eq!(all(&stage, &Among::These(vec![people[1]])).await, []);
    }
}
