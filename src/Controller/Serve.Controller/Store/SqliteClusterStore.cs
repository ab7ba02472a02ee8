using System.Text.Json;
using Microsoft.Data.Sqlite;
using Serve.Control.Desired;

namespace Serve.Controller.Store;

/// <summary>
/// Cluster store in one SQLite file, written in transactions that survive a killed process. Only the process that has locked the state directory opens
/// it; so a lease never outlives the process that acquired it. Thread-safe.
/// </summary>
public sealed class SqliteClusterStore : IClusterStore
{
    private readonly Lock _sync = new();
    private readonly SqliteConnection _connection;
    private readonly string _path;
    private readonly TimeProvider _time;

    private SqliteClusterStore(SqliteConnection connection, string path, TimeProvider time)
    {
        _connection = connection;
        _path = path;
        _time = time;
    }

    /// <summary>Opens the database; creates or upgrades it if necessary.</summary>
    /// <exception cref="StateStoreException">The file is damaged, foreign, written by a newer version, or cannot be written.</exception>
    public static SqliteClusterStore Open(string path, TimeProvider time)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        var store = new SqliteClusterStore(connection, path, time);
        try
        {
            store.Run(() =>
            {
                connection.Open();
                SqliteSchema.Prepare(connection, path);
                return true;
            });
            return store;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<DesiredApplication>> LoadAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<DesiredApplication>>(() =>
    {
        List<DesiredApplication> applications = [];
        using var command = _connection.CreateCommand("SELECT name, document FROM applications ORDER BY name");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            try
            {
                applications.Add(JsonSerializer.Deserialize<DesiredApplication>(reader.GetString(1), ServeJson.Options)!);
            }
            catch (JsonException error)
            {
                throw new StateStoreException($"{_path}: the stored application '{reader.GetString(0)}' cannot be read: {error.Message}", error);
            }
        }

        return applications;
    });

    /// <inheritdoc/>
    public Task SaveAsync(long epoch, IReadOnlyCollection<DesiredApplication> saved, IReadOnlyCollection<string> removed, CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var transaction = _connection.BeginTransaction();
        if (_connection.ReadNumber("SELECT epoch FROM lease") is var newest && newest != epoch)
            throw new StaleEpochException(epoch, newest);
        foreach (var application in saved)
        {
            _connection.Execute(
                "INSERT INTO applications (name, document) VALUES ($name, $document) ON CONFLICT (name) DO UPDATE SET document = $document",
                ("$name", application.Name), ("$document", JsonSerializer.Serialize(application, ServeJson.Options)));
        }

        foreach (var name in removed)
            _connection.Execute("DELETE FROM applications WHERE name = $name", ("$name", name));
        transaction.Commit();
        return true;
    });

    /// <inheritdoc/>
    public Task<ControllerLease?> TryAcquireLeaseAsync(NodeId holder, TimeSpan duration, CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var command = _connection.CreateCommand(
            "UPDATE lease SET epoch = epoch + 1, holder = $holder, expires_at = $expires WHERE holder IS NULL OR holder = $holder OR expires_at <= $now RETURNING epoch",
            ("$holder", holder.Value), ("$expires", ExpiryOf(duration)), ("$now", Now));
        return command.ExecuteScalar() is long epoch ? new ControllerLease(epoch, holder) : null;
    });

    /// <inheritdoc/>
    public Task<bool> TryRenewLeaseAsync(ControllerLease lease, TimeSpan duration, CancellationToken cancellationToken) => RunAsync(() => 1 == _connection.Execute(
        "UPDATE lease SET expires_at = $expires WHERE epoch = $epoch AND holder = $holder",
        ("$expires", ExpiryOf(duration)), ("$epoch", lease.Epoch), ("$holder", lease.Holder.Value)));

    /// <inheritdoc/>
    public Task ReleaseLeaseAsync(ControllerLease lease, CancellationToken cancellationToken) => RunAsync(() => _connection.Execute(
        "UPDATE lease SET holder = NULL, expires_at = NULL WHERE epoch = $epoch AND holder = $holder",
        ("$epoch", lease.Epoch), ("$holder", lease.Holder.Value)));

    /// <inheritdoc/>
    public Task<MembershipTable> ReadMembershipAsync(CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var transaction = _connection.BeginTransaction();
        var version = _connection.ReadNumber("SELECT version FROM membership");
        List<MembershipRow> rows = [];
        using (var command = _connection.CreateCommand("SELECT node, document, version FROM members ORDER BY node"))
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
                rows.Add(new(new(reader.GetString(0)), reader.GetString(1), reader.GetInt64(2)));
        }

        transaction.Commit();
        return new MembershipTable(version, rows);
    });

    /// <inheritdoc/>
    public Task<bool> TryWriteMemberAsync(MembershipRow row, long tableVersion, CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var transaction = _connection.BeginTransaction();
        var hasTable = _connection.Execute("UPDATE membership SET version = version + 1 WHERE version = $version", ("$version", tableVersion)) == 1;
        var hasRow = hasTable && (row, row.Version) switch
        {
            ({ Document: null }, _) => _connection.Execute(
                "DELETE FROM members WHERE node = $node AND version = $version", ("$node", row.Node.Value), ("$version", row.Version)) == 1,
            (_, 0) => _connection.Execute(
                "INSERT INTO members (node, document, version) VALUES ($node, $document, 1) ON CONFLICT (node) DO NOTHING",
                ("$node", row.Node.Value), ("$document", row.Document)) == 1,
            _ => _connection.Execute(
                "UPDATE members SET document = $document, version = version + 1 WHERE node = $node AND version = $version",
                ("$node", row.Node.Value), ("$document", row.Document), ("$version", row.Version)) == 1,
        };
        if (hasRow)
            transaction.Commit();
        return hasRow;
    });

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private long? ExpiryOf(TimeSpan duration) => duration == Timeout.InfiniteTimeSpan ? null : Now + (long)duration.TotalMilliseconds;

    // SQLite has no asynchronous operations; each one here is a single small transaction.
    private Task<T> RunAsync<T>(Func<T> operation)
    {
        try
        {
            return Task.FromResult(Run(operation));
        }
        catch (StateStoreException error)
        {
            return Task.FromException<T>(error);
        }
    }

    private T Run<T>(Func<T> operation)
    {
        try
        {
            lock (_sync)
                return operation();
        }
        catch (SqliteException error)
        {
            throw error.SqliteErrorCode switch
            {
                11 or 26 => SqliteSchema.Damaged(_path, error.Message, error),
                5 or 6 => new StateStoreException($"{_path} is locked by another process. Stop it, or choose another directory with --state-dir.", error),
                13 => new StateStoreException($"{_path} cannot be written: the disk is full. Free some space and retry.", error),
                3 or 8 or 10 or 14 or 23 => new StateStoreException(
                    $"{_path} cannot be written: {error.Message} Check its owner and permissions, or choose another directory with --state-dir.", error),
                _ => new StateStoreException($"{_path}: {error.Message}", error),
            };
        }
    }
}
