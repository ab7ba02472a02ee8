using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Serve.Control;

namespace Serve.Controller;

/// <summary>The desired state in one SQLite file: a JSON document per application, written in transactions that survive a killed process.</summary>
public sealed class SqliteClusterStore : IClusterStore
{
    private const int ApplicationId = 0x53727645;
    private const int SchemaVersion = 1;
    private readonly SqliteConnection _connection;
    private readonly string _path;

    private SqliteClusterStore(SqliteConnection connection, string path)
    {
        this._connection = connection;
        this._path = path;
    }

    /// <inheritdoc/>
    public int Epoch { get; private set; }

    /// <summary>Opens the database, making it when there is none.</summary>
    /// <exception cref="StateStoreException">It is damaged, foreign, newer than this program, or cannot be written.</exception>
    public static SqliteClusterStore Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        var store = new SqliteClusterStore(connection, path);
        try
        {
            store.Guarded(store.Initialize);
            return store;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<DesiredApplication> Load() => Guarded(() =>
    {
        List<DesiredApplication> applications = [];
        using var command = Command("SELECT name, document FROM applications ORDER BY name");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            try
            {
                applications.Add(JsonSerializer.Deserialize<DesiredApplication>(reader.GetString(1), ServeJson.Options)!);
            }
            catch (JsonException error)
            {
                throw new StateStoreException($"{_path}: what is stored of application '{reader.GetString(0)}' cannot be read: {error.Message}", error);
            }
        }

        return applications;
    });

    /// <inheritdoc/>
    public void Save(IReadOnlyCollection<DesiredApplication> saved, IReadOnlyCollection<string> removed) => Guarded(() =>
    {
        using var transaction = _connection.BeginTransaction();
        foreach (var application in saved)
        {
            using var command = Command(
                "INSERT INTO applications (name, document) VALUES ($name, $document) ON CONFLICT (name) DO UPDATE SET document = $document");
            command.Parameters.AddWithValue("$name", application.Name);
            command.Parameters.AddWithValue("$document", JsonSerializer.Serialize(application, ServeJson.Options));
            command.ExecuteNonQuery();
        }

        foreach (var name in removed)
        {
            using var command = Command("DELETE FROM applications WHERE name = $name");
            command.Parameters.AddWithValue("$name", name);
            command.ExecuteNonQuery();
        }

        transaction.Commit();
        return true;
    });

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private bool Initialize()
    {
        _connection.Open();
        var version = Number("PRAGMA user_version");
        var owner = Number("PRAGMA application_id");
        var isNew = version == 0 && owner == 0 && Number("SELECT count(*) FROM sqlite_master") == 0;
        if (!isNew && owner != ApplicationId)
            throw new StateStoreException($"{_path} is not a database of this program. Give the node another directory with --state-dir.");
        if (version > SchemaVersion)
        {
            throw new StateStoreException(
                $"{_path} was written by a newer version of this program (schema {version}, this one knows {SchemaVersion}). Update, or give the node another directory with --state-dir.");
        }

        if (!isNew && Text("PRAGMA integrity_check(1)") is var found and not "ok")
            throw Damaged(found, null);
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        using var transaction = _connection.BeginTransaction();
        if (isNew)
        {
            Execute("CREATE TABLE applications (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT");
            Execute("CREATE TABLE life (epoch INTEGER NOT NULL) STRICT");
            Execute("INSERT INTO life (epoch) VALUES (0)");
            Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
            Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {SchemaVersion}"));
        }

        Epoch = (int)Number("UPDATE life SET epoch = epoch + 1 RETURNING epoch");
        transaction.Commit();
        return true;
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException error)
        {
            throw error.SqliteErrorCode switch
            {
                11 or 26 => Damaged(error.Message, error),
                5 or 6 => new StateStoreException($"{_path} is locked by another process. Stop it, or give the node another directory with --state-dir.", error),
                13 => new StateStoreException($"{_path} cannot be written: the disk is full. Make room and try again.", error),
                3 or 8 or 10 or 14 or 23 => new StateStoreException(
                    $"{_path} cannot be written: {error.Message} Check its owner and permissions, or give the node another directory with --state-dir.", error),
                _ => new StateStoreException($"{_path}: {error.Message}", error),
            };
        }
    }

    // The check tells in several lines what is one.
    private StateStoreException Damaged(string detail, Exception? inner) => new(
        $"{_path} is damaged: {detail.ReplaceLineEndings(" ")}. Nothing was changed. Restore it from a copy, or move it away to start with nothing deployed.", inner);

    private SqliteCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // The texts are constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    private long Number(string sql)
    {
        using var command = Command(sql);
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private string Text(string sql)
    {
        using var command = Command(sql);
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }
}
