using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Serve.Controller.Store;

/// <summary>Schema of the SQLite cluster store: creates it, checks it, and upgrades older versions.</summary>
internal static class SqliteSchema
{
    private const int ApplicationId = 0x53727645;
    private const int Version = 3;

    /// <summary>Checks a database and brings it to the current schema, in one transaction.</summary>
    /// <exception cref="StateStoreException">The file is damaged, foreign, or written by a newer version.</exception>
    public static void Prepare(SqliteConnection connection, string path)
    {
        var version = connection.ReadNumber("PRAGMA user_version");
        var owner = connection.ReadNumber("PRAGMA application_id");
        var isNew = version == 0 && owner == 0 && connection.ReadNumber("SELECT count(*) FROM sqlite_master") == 0;
        if (!isNew && owner != ApplicationId)
            throw new StateStoreException($"{path} is not a database of this program. Choose another directory with --state-dir.");
        if (version > Version)
        {
            throw new StateStoreException(
                $"{path} was written by a newer version of this program: its schema must be at most {Version}, but was {version}. Update the program, or choose another directory with --state-dir.");
        }

        if (!isNew && connection.ReadText("PRAGMA integrity_check(1)") is var result and not "ok")
            throw Damaged(path, result, null);
        connection.Execute("PRAGMA journal_mode = WAL");
        connection.Execute("PRAGMA synchronous = FULL");
        using var transaction = connection.BeginTransaction();
        if (isNew)
        {
            connection.Execute("CREATE TABLE applications (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT");
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
        }

        if (version < 2)
            CreateTablesOfVersion2(connection, epoch: isNew ? 0 : connection.ReadNumber("SELECT epoch FROM life"));
        if (version < Version)
            UpgradeApplications(connection, document => UpgradeToVersion3(version < 2 ? UpgradeToVersion2(document) : document));

        // The previous process has exited, since this one has locked the state directory: its lease is void.
        connection.Execute("UPDATE lease SET holder = NULL, expires_at = NULL");
        transaction.Commit();
    }

    /// <summary>Returns the error for a damaged file.</summary>
    public static StateStoreException Damaged(string path, string detail, Exception? inner) => new(
        $"{path} is damaged: {detail.ReplaceLineEndings(" ").TrimEnd('.')}. Nothing was changed. Restore it from a backup, or remove it to start without applications.", inner);

    private static void CreateTablesOfVersion2(SqliteConnection connection, long epoch)
    {
        connection.Execute("CREATE TABLE lease (epoch INTEGER NOT NULL, holder TEXT, expires_at INTEGER) STRICT");
        connection.Execute("INSERT INTO lease (epoch) VALUES ($epoch)", ("$epoch", epoch));
        connection.Execute("CREATE TABLE membership (version INTEGER NOT NULL) STRICT");
        connection.Execute("INSERT INTO membership (version) VALUES (0)");
        connection.Execute("CREATE TABLE members (node TEXT PRIMARY KEY, document TEXT NOT NULL, version INTEGER NOT NULL) STRICT");
        connection.Execute("DROP TABLE IF EXISTS life");
    }

    private static void UpgradeApplications(SqliteConnection connection, Func<string, string> upgrade)
    {
        List<(string Name, string Document)> applications = [];
        using (var command = connection.CreateCommand("SELECT name, document FROM applications"))
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
                applications.Add((reader.GetString(0), reader.GetString(1)));
        }

        foreach (var (name, document) in applications)
            connection.Execute("UPDATE applications SET document = $document WHERE name = $name", ("$document", upgrade(document)), ("$name", name));
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {Version}"));
    }

    // Version 1 stored a scale as a revision with another num_replicas, and the folder of each package.
    private static string UpgradeToVersion2(string document)
    {
        var application = JsonNode.Parse(document)!.AsObject();
        var requested = application["target"]!.AsObject();
        application.Remove("target");
        application["requested"] = requested;
        application["generation"] = requested["number"]!.DeepClone();
        application["change"] = requested["change"]?.DeepClone();
        application["targets"] = ExtractTargets(requested);
        if (application["last_good"] is JsonObject lastGood)
            application["last_good_targets"] = ExtractTargets(lastGood);
        return application.ToJsonString(ServeJson.Options);
    }

    // Version 2 stored the path that the code was built from.
    private static string UpgradeToVersion3(string document)
    {
        var application = JsonNode.Parse(document)!.AsObject();
        foreach (var revision in new[] { application["requested"], application["last_good"] }.OfType<JsonObject>())
            revision["config"]!["import_path"] = $"package:{(string)revision["package"]!["hash"]!}";
        return application.ToJsonString(ServeJson.Options);
    }

    private static JsonObject ExtractTargets(JsonObject revision)
    {
        revision.Remove("change");
        revision["package"]!.AsObject().Remove("directory");
        var targets = new JsonObject();
        foreach (var (name, node) in revision["deployments"]!.AsObject())
        {
            var deployment = node!.AsObject();
            var (replicas, configured) = (deployment["spec"]!["num_replicas"]!, deployment["asked_replicas"]!);
            if (!JsonNode.DeepEquals(replicas, configured))
                targets[name] = new JsonObject { ["replicas"] = replicas.DeepClone() };
            deployment["spec"]!["num_replicas"] = configured.DeepClone();
            deployment.Remove("asked_replicas");
        }

        return targets;
    }
}

/// <summary>Short forms of SQLite commands.</summary>
internal static class SqliteConnectionExtensions
{
    public static SqliteCommand CreateCommand(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are constants.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    public static int Execute(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = connection.CreateCommand(sql, parameters);
        return command.ExecuteNonQuery();
    }

    public static long ReadNumber(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand(sql);
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    public static string ReadText(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand(sql);
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }
}
