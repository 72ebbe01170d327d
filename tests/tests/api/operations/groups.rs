//! Each group of the routes for administrators may have its own policy.

use super::*;

#[derive(Policy)]
#[policy(role = Rank::Clerk)]
struct Clerks;

#[tokio::test]
async fn each_group_has_its_own_policy() {
    let office = Office::new().await;
    let (shop, desk) = (&office.shop, &office.desk);
    let admin = shop
        .admin_keys(tollgate::by::<Employee, Chiefs>(desk))
        .merge(shop.admin_pause(tollgate::by::<Employee, Clerks>(desk)))
        .merge(shop.admin_sessions(tollgate::by::<Employee, Clerks>(desk)));
    let app = ProtectedRouter::<()>::new().nest("/admin", admin);
    let app: Router = tollgate::install(app, (shop, desk));
    let (chief, clerk) = (
        office.sign_in("/staff", "chief").await,
        office.sign_in("/staff", "clerk").await,
    );
    for (method, path) in ROUTES
        .into_iter()
        .filter(|(_, path)| path.starts_with("/admin"))
    {
        let ask = async |token: &str| {
            let asked = request(method.clone(), path, Some(token), None);
            Answer::of(app.clone().oneshot(asked).await.unwrap()).await
        };
        let (admitted, refused) = match path.starts_with("/admin/keys") {
            true => (&chief, &clerk),
            false => (&clerk, &chief),
        };
        ask(refused).await.assert_problem(403, "forbidden");
        let status = ask(admitted).await.status;
        assert!(status != 401 && status != 403, "{method} {path}: {status}");
    }
}
