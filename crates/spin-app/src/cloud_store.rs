//! Stores of a cloud, which Spin reaches and the embedded runtime does not.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::password::without_password;

/// A store of a cloud, as Spin's runtime configuration describes it. Shown without credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum CloudStore {
    /// A container of Azure Cosmos DB: `azure-cosmos://[:KEY@]ACCOUNT/DATABASE/CONTAINER`.
    AzureCosmos {
        /// The account.
        account: String,
        /// The database in it.
        database: String,
        /// The container, whose partition key is `/id`.
        container: String,
        /// The account's key; without one Spin takes the credentials of its environment.
        key: Option<String>,
    },
    /// A table of Amazon `DynamoDB`: `aws-dynamo://[ACCESS_KEY:SECRET_KEY@]REGION/TABLE[?consistent_read=true][&token=TOKEN]`.
    AwsDynamo {
        /// The region of the table.
        region: String,
        /// The table, whose partition key is `PK`.
        table: String,
        /// Whether reads are strongly consistent; unless set, they are not.
        consistent_read: Option<bool>,
        /// Who asks; without this Spin takes the credentials of its environment.
        credentials: Option<AwsCredentials>,
    },
}

/// What identifies a user of AWS.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsCredentials {
    /// The id of the secret key.
    pub access_key: String,
    /// The key itself.
    pub secret_key: String,
    /// The token of a session.
    pub token: Option<String>,
}

/// A text that starts like the address of a cloud's store and is none. Shown without credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is not the address of {what}")]
pub struct NotACloudStore {
    shown: String,
    what: &'static str,
    form: &'static str,
}

impl NotACloudStore {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.form
    }
}

/// How addresses of such stores begin.
const COSMOS: &str = "azure-cosmos";
const DYNAMO: &str = "aws-dynamo";

/// The types of such stores in a runtime configuration.
pub(crate) const AZURE_COSMOS: &str = "azure_cosmos";
pub(crate) const AWS_DYNAMO: &str = "aws_dynamo";

impl CloudStore {
    /// The store at an address; `None` for a text that is not meant as one.
    ///
    /// # Errors
    ///
    /// It is meant as one and lacks something, or has too much.
    pub fn parse(text: &str) -> Option<Result<Self, NotACloudStore>> {
        let (scheme, _) = text.split_once("://")?;
        let (read, what, form): (fn(&Url) -> Option<Self>, _, _) = match scheme {
            COSMOS => (
                cosmos,
                "a container of Azure Cosmos DB",
                "write azure-cosmos://[:KEY@]ACCOUNT/DATABASE/CONTAINER, with /, + and = of the key as %2F, %2B and %3D",
            ),
            DYNAMO => (
                dynamo,
                "a table of Amazon DynamoDB",
                "write aws-dynamo://[ACCESS_KEY:SECRET_KEY@]REGION/TABLE[?consistent_read=true][&token=TOKEN], with / and + of \
                 the keys as %2F and %2B",
            ),
            _ => return None,
        };
        let store = Url::parse(text).ok().and_then(|url| read(&url));
        Some(store.ok_or_else(|| NotACloudStore { shown: without_credentials(text), what, form }))
    }

    /// The type of the store in a runtime configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AzureCosmos { .. } => AZURE_COSMOS,
            Self::AwsDynamo { .. } => AWS_DYNAMO,
        }
    }

    /// Whether both are one store, whoever asks for it.
    pub fn leads_to(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// The address, without credentials and without what does not tell one store from another.
impl fmt::Display for CloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AzureCosmos { account, database, container, .. } => {
                write!(f, "{COSMOS}://{account}/{database}/{container}")
            }
            Self::AwsDynamo { region, table, .. } => write!(f, "{DYNAMO}://{region}/{table}"),
        }
    }
}

impl fmt::Debug for CloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cloud({self})")
    }
}

fn cosmos(url: &Url) -> Option<CloudStore> {
    let [database, container] = path(url)?.try_into().ok()?;
    let key = match (url.username(), url.password()) {
        ("", key) => key.map(decoded),
        _ => return None,
    };
    let key = match key {
        Some(key) => Some(key?),
        None => None,
    };
    let store = CloudStore::AzureCosmos { account: account(url)?, database, container, key };
    url.query().is_none().then_some(store)
}

fn dynamo(url: &Url) -> Option<CloudStore> {
    let [table] = path(url)?.try_into().ok()?;
    let (mut consistent_read, mut token) = (None, None);
    for (name, value) in url.query_pairs() {
        match &*name {
            "consistent_read" => consistent_read = Some(value.parse().ok()?),
            "token" => token = Some(value.into_owned()),
            _ => return None,
        }
    }
    let credentials = match (url.username(), url.password()) {
        ("", None) if token.is_none() => None,
        ("", _) | (_, None) => return None,
        (access_key, Some(secret_key)) => {
            Some(AwsCredentials { access_key: decoded(access_key)?, secret_key: decoded(secret_key)?, token })
        }
    };
    Some(CloudStore::AwsDynamo { region: account(url)?, table, consistent_read, credentials })
}

/// What can be shown of a text that may be no address at all, with a key in the wrong place.
fn without_credentials(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => without_password(&format!("{scheme}://***@{rest}")),
        _ => without_password(text),
    }
}

/// What stands where other URLs have the host.
fn account(url: &Url) -> Option<String> {
    (url.port().is_none() && url.fragment().is_none()).then_some(())?;
    decoded(url.host_str()?)
}

/// The names that the path consists of.
fn path(url: &Url) -> Option<Vec<String>> {
    let names = url.path_segments()?.map(|name| decoded(name).filter(|name| !name.is_empty()));
    names.collect()
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(text: &str) -> CloudStore {
        CloudStore::parse(text).unwrap().unwrap()
    }

    #[test]
    fn addresses_are_read_and_shown_without_credentials() {
        let key = "s3cret/+=";
        let cosmos = store("azure-cosmos://:s3cret%2F%2B%3D@My-Account/prompts/case-a");
        assert_eq!(
            cosmos,
            CloudStore::AzureCosmos {
                account: "My-Account".into(),
                database: "prompts".into(),
                container: "case-a".into(),
                key: Some(key.into()),
            }
        );
        assert_eq!(cosmos.to_string(), "azure-cosmos://My-Account/prompts/case-a");
        let dynamo =
            store("aws-dynamo://AKIA:s3cret%2F%2B%3D@eu-west-1/case-a?consistent_read=true&token=s3cret");
        let credentials = AwsCredentials {
            access_key: "AKIA".into(),
            secret_key: key.into(),
            token: Some("s3cret".into()),
        };
        assert_eq!(
            dynamo,
            CloudStore::AwsDynamo {
                region: "eu-west-1".into(),
                table: "case-a".into(),
                consistent_read: Some(true),
                credentials: Some(credentials),
            }
        );
        assert_eq!(format!("{dynamo:?}"), "Cloud(aws-dynamo://eu-west-1/case-a)");
        assert!(dynamo.leads_to(&store("aws-dynamo://eu-west-1/case-a")));
        assert!(!dynamo.leads_to(&store("aws-dynamo://eu-west-1/case-b")));
        assert!(!dynamo.leads_to(&cosmos));
    }

    #[test]
    fn what_is_no_address_says_what_it_should_be() {
        for text in [
            "azure-cosmos://account/database",
            "azure-cosmos://account/database/container/",
            "azure-cosmos://account/database/container/more",
            "azure-cosmos:///database/container",
            "azure-cosmos://name:s3cret@account/database/container",
            "azure-cosmos://account/database/container?key=1",
            "azure-cosmos://:s3cret%FF@account/database/container",
            "azure-cosmos://:s3cret/+=@account/database/container",
            "aws-dynamo://eu-west-1",
            "aws-dynamo://s3cret@eu-west-1/table",
            "aws-dynamo://:s3cret@eu-west-1/table",
            "aws-dynamo://eu-west-1/table?token=s3cret",
            "aws-dynamo://eu-west-1/table?consistent_read=yes",
            "aws-dynamo://eu-west-1/table?consistent=true",
            "aws-dynamo://eu-west-1/table#1",
            "aws-dynamo://eu-west-1:80/table",
        ] {
            let error = CloudStore::parse(text).unwrap().expect_err(text);
            let (message, hint) = (error.to_string(), error.hint());
            assert!(message.contains(" is not the address of a") && !message.contains("s3cret"), "{message}");
            assert!(hint.starts_with("write ") && hint.contains(text.split("://").next().unwrap()), "{hint}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
        for text in ["case-a", "./case-a.db", "redis://localhost", "gcp-firestore://a/b"] {
            assert_eq!(CloudStore::parse(text), None, "{text}");
        }
    }
}
