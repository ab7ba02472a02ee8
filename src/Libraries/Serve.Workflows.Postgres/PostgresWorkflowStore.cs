using System.Data.Common;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Serve.Workflows.Storage;
using static Serve.Workflows.Storage.StoreRowReader;

namespace Serve.Workflows.Postgres;

/// <summary>
/// Workflows in PostgreSQL. Several hosts share a database: each runs the workflows that were started on it. A host renews a lease; when it has expired, the other hosts take over its
/// workflows, and it can commit nothing any more. Events are accepted by every host.
/// </summary>
/// <remarks>
/// Concurrency. Each change locks the row of its workflow, so the positions of a history follow the order of the commits, also between hosts. The owner of a workflow is the only host that
/// appends results; others append events and notify the owner, which reads the entries that it has not seen.
/// </remarks>
public sealed class PostgresWorkflowStore : WorkflowStore
{
    private const int SchemaVersion = 1;
    private const string Channel = "serve_workflows";

    private const string Schema = """
        create table if not exists serve_workflow_meta(key text primary key, value bigint not null);
        create table if not exists serve_workflow_host(id text primary key, expires timestamptz not null);
        create table if not exists serve_workflow(id text collate "C" primary key, name text not null, version int not null, run int not null, status int not null, input text not null, output text, error text,
            parent text, parent_seq int not null, depth int not null, created bigint not null, ended bigint, metadata text not null, parked int not null default 0, owner text not null);
        create index if not exists serve_workflow_status on serve_workflow(status, id);
        create index if not exists serve_workflow_owner on serve_workflow(owner) where status=0;
        create index if not exists serve_workflow_ended on serve_workflow(ended) where ended is not null;
        create table if not exists serve_workflow_history(wf text collate "C" not null, pos bigint not null, run int not null, kind int not null, seq int not null, name text not null, payload text,
            started bigint not null, at bigint not null, attempts int not null, metadata text, primary key(wf, pos));
        create unique index if not exists serve_workflow_result on serve_workflow_history(wf, seq) where seq>=0;
        create table if not exists serve_workflow_timer(wf text collate "C" not null, seq int not null, run int not null, retry int not null, name text not null, due bigint not null, attempt int not null,
            primary key(wf, seq));
        create index if not exists serve_workflow_timer_due on serve_workflow_timer(due);
        create table if not exists serve_workflow_event_key(wf text collate "C" not null, key text not null, primary key(wf, key));
        """;

    private const string OwnedRecordColumns = RecordColumns + ", owner";
    private const string TimerColumns = "t.wf, t.run, t.seq, t.retry, t.name, t.due, t.attempt";

    private readonly NpgsqlDataSource _source;
    private readonly TimeSpan _lease;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _notified = [];
    private StoreStatements? _writer;
    private Task _listener = Task.CompletedTask;
    private volatile string _host = NewHostId();

    /// <summary>Creates a store; <see cref="Open"/> connects.</summary>
    /// <param name="connection">The connection string.</param>
    /// <param name="lease">How long a host may be silent before others take over its workflows. Default 15 s.</param>
    public PostgresWorkflowStore(string connection, TimeSpan? lease = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connection);
        var settings = new NpgsqlConnectionStringBuilder(connection) { ApplicationName = "Serve.Workflows" };
        Name = $"{settings.Host}:{settings.Port}/{settings.Database}";
        _source = NpgsqlDataSource.Create(settings);
        _lease = lease ?? TimeSpan.FromSeconds(15);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string? PayloadFolder => null;

    /// <inheritdoc/>
    public override TimeSpan? ClaimInterval => _lease / 3;

    /// <inheritdoc/>
    public override DateTimeOffset LastTime => Read(reader => reader.Query("select coalesce(max(value), 0) from serve_workflow_meta where key='clock'", row => FromTicks(row.GetInt64(0)))[0]);

    /// <inheritdoc/>
    public override void Open()
    {
        try
        {
            var connection = _source.OpenConnection();
            using var statements = new StoreStatements(connection, Describe);
            var isNew = statements.Query("select to_regclass('serve_workflow_meta')::text", row => row.IsDBNull(0))[0];
            var version = isNew ? 0 : statements.Query("select coalesce(max(value), 0) from serve_workflow_meta where key='schema'", row => row.GetInt64(0))[0];
            if (version > SchemaVersion)
            {
                throw new WorkflowStorageException(
                    $"Workflow database '{Name}' has schema version {version}, but this version of Serve.Workflows.Postgres supports versions up to {SchemaVersion}. Use the newer version that wrote it.");
            }

            if (version == 0)
                CreateSchema(connection);
            Register(statements);
        }
        catch (NpgsqlException failure)
        {
            throw Failure(failure);
        }
    }

    /// <inheritdoc/>
    public override void Listen(Action<string> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        _listener = Task.Run(() => ListenAsync(changed));
    }

    /// <inheritdoc/>
    public override void Commit(IReadOnlyList<StoreWrite> writes, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(writes);
        _writer ??= new(_source.OpenConnection(), Describe, prepares: true);
        try
        {
            _notified.Clear();
            using var transaction = _writer.Connection.BeginTransaction();
            if (_writer.Query("select 1 from serve_workflow_host where id=$1 and expires>now() for share", _ => 1, _host).Count == 0)
                throw new WorkflowLeaseException(Name);
            foreach (var write in writes)
                Apply(write, _writer);
            _writer.Run("insert into serve_workflow_meta(key, value) values('clock', $1) on conflict(key) do update set value=greatest(serve_workflow_meta.value, $1)", now.UtcTicks);
            foreach (var id in _notified.Distinct())
                _writer.Run($"select pg_notify('{Channel}', $1)", id);
            transaction.Commit();
        }
        catch (WorkflowLeaseException)
        {
            RegisterAgain();
            throw;
        }
        catch (NpgsqlException)
        {
            // The connection may be broken; the next commit opens another one.
            _writer?.Dispose();
            _writer = null;
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool IsTransient(Exception failure) =>
        failure is NpgsqlException and (not PostgresException or PostgresException { SqlState: "40001" or "40P01" or "53100" or "53200" or "53300" or "57P01" or "57P02" or "57P03" or "25006" });

    /// <inheritdoc/>
    public override bool IsOwned(WorkflowRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return record.Owner == _host;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Claim() => Read(reader =>
    {
        if (reader.Run("update serve_workflow_host set expires=now() + make_interval(secs => $1::float8) where id=$2 and expires>now()", Seconds(_lease), _host) == 0)
        {
            // This host was silent for too long; others own its workflows.
            throw new WorkflowLeaseException(Name);
        }

        reader.Run("delete from serve_workflow_host where expires<now() - interval '1 day'");
        return reader.Query(
            "update serve_workflow set owner=$1, parked=0 where id in (select w.id from serve_workflow w left join serve_workflow_host h on h.id=w.owner "
            + "where w.status=0 and (h.id is null or h.expires<now()) order by w.id limit 256 for update of w skip locked) returning id",
            row => row.GetString(0), _host);
    });

    /// <inheritdoc/>
    public override WorkflowRecord? Find(string workflowId) => Read(reader => Find(reader, workflowId, ""));

    /// <inheritdoc/>
    public override IReadOnlyList<HistoryRow> ReadHistory(string workflowId, long after = 0) => Read(reader => reader.Query(
        $"select {HistoryColumns} from serve_workflow_history where wf=$1 and pos>$2 order by pos", ToHistoryRow, workflowId, after));

    /// <inheritdoc/>
    public override IReadOnlyList<WorkflowTimer> ReadTimers(string workflowId) => Read(reader => reader.Query(
        $"select {TimerColumns} from serve_workflow_timer t where t.wf=$1 order by t.seq", ToTimer, workflowId));

    /// <inheritdoc/>
    public override IReadOnlyList<WorkflowTimer> ReadTimersDue(DateTimeOffset before, int limit) => Read(reader => reader.Query(
        $"select {TimerColumns} from serve_workflow_timer t join serve_workflow w on w.id=t.wf where t.due<=$1 and w.owner=$2 order by t.due limit $3", ToTimer, before.UtcTicks, _host, limit));

    /// <inheritdoc/>
    public override IReadOnlyList<WorkflowRecord> List(WorkflowStatus? status, string after, int limit) => Read(reader => status is { } only
        ? reader.Query($"select {OwnedRecordColumns} from serve_workflow where status=$1 and id>$2 order by id limit $3", ToRecord, (int)only, after, limit)
        : reader.Query($"select {OwnedRecordColumns} from serve_workflow where id>$1 order by id limit $2", ToRecord, after, limit));

    /// <inheritdoc/>
    public override IReadOnlyList<string> ReadRunnable(string after, int limit) => Read(reader => reader.Query(
        "select id from serve_workflow where status=0 and parked=0 and owner=$1 and id>$2 order by id limit $3", row => row.GetString(0), _host, after, limit));

    /// <inheritdoc/>
    public override IReadOnlyList<string> ReadEnded(DateTimeOffset before, int limit) => Read(reader => reader.Query(
        "select id from serve_workflow where ended is not null and ended<$1 order by ended limit $2", row => row.GetString(0), before.UtcTicks, limit));

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> ReadPayloadHashes() => [];

    /// <inheritdoc/>
    public override IReadOnlyList<string> TakeUnusedPayloads() => [];

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _listener.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            // The other hosts take over at once.
            if (_writer is not null)
                _writer.Run("delete from serve_workflow_host where id=$1", _host);
        }
        catch (NpgsqlException)
        {
            // The lease expires by itself.
        }

        _writer?.Dispose();
        await _source.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private static string NewHostId() => string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():N}");

    private static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString(CultureInfo.InvariantCulture);

    private static void Describe(DbParameter parameter, int number, object? value) =>
        ((NpgsqlParameter)parameter).NpgsqlDbType = value is long ? NpgsqlDbType.Bigint : value is int ? NpgsqlDbType.Integer : NpgsqlDbType.Text;

    private static void CreateSchema(NpgsqlConnection connection)
    {
        using var transaction = connection.BeginTransaction();

        // Two hosts may create the tables at the same time.
        using var create = new NpgsqlCommand($"select pg_advisory_xact_lock(7357001); {Schema} insert into serve_workflow_meta values('schema', {SchemaVersion}) on conflict do nothing;", connection);
        create.ExecuteNonQuery();
        transaction.Commit();
    }

    private static WorkflowRecord? Find(StoreStatements statements, string workflowId, string suffix) =>
        statements.Query($"select {OwnedRecordColumns} from serve_workflow where id=$1{suffix}", ToRecord, workflowId) is [var record] ? record : null;

    private WorkflowStorageException Failure(NpgsqlException failure) => new($"Workflow database '{Name}' cannot be reached or used: {failure.Message}", failure);

    private T Read<T>(Func<StoreStatements, T> read)
    {
        try
        {
            using var statements = new StoreStatements(_source.OpenConnection(), Describe);
            return read(statements);
        }
        catch (NpgsqlException failure)
        {
            throw Failure(failure);
        }
    }

    private void Register(StoreStatements statements) => statements.Run(
        "insert into serve_workflow_host(id, expires) values($1, now() + make_interval(secs => $2::float8))", _host, Seconds(_lease));

    private void RegisterAgain()
    {
        _host = NewHostId();
        Register(_writer!);
    }

    private async Task ListenAsync(Action<string> changed)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await _source.OpenConnectionAsync(_stop.Token).ConfigureAwait(false);
                connection.Notification += (_, notification) => changed(notification.Payload);
                await using (var listen = new NpgsqlCommand($"listen {Channel}", connection))
                    await listen.ExecuteNonQueryAsync(_stop.Token).ConfigureAwait(false);

                // Notifications may have been missed until now.
                changed("");
                while (true)
                    await connection.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Locks the row of a workflow and returns it.</summary>
    private WorkflowRecord? Lock(string workflowId) => Find(_writer!, workflowId, " for update");

    private bool LockOpen(string workflowId, int run) =>
        Lock(workflowId) is { Status: WorkflowStatus.Running or WorkflowStatus.Blocked } record && record.Run == run && IsOwned(record);

    private void Apply(StoreWrite write, StoreStatements statements)
    {
        switch (write)
        {
            case AppendWrite { Row: var row } append:
                append.Appended = LockOpen(row.WorkflowId, row.Run) && Append(row);
                break;
            case StartWrite start:
                Start(start);
                break;
            case EndWrite end:
                End(end);
                break;
            case DeliverWrite deliver:
                deliver.Outcome = Deliver(deliver);
                break;
            case TimerWrite { Timer: var timer }:
                if (LockOpen(timer.WorkflowId, timer.Run))
                {
                    statements.Run(
                        "insert into serve_workflow_timer(wf, seq, run, retry, name, due, attempt) values($1, $2, $3, $4, $5, $6, $7) on conflict(wf, seq) do update set retry=$4, due=$6, attempt=$7",
                        timer.WorkflowId, timer.Sequence, timer.Run, timer.IsRetry ? 1 : 0, timer.Name, timer.Due.UtcTicks, timer.Attempt);
                }

                break;
            case TimerRemoveWrite remove:
                statements.Run("delete from serve_workflow_timer where wf=$1 and seq=$2", remove.WorkflowId, remove.Sequence);
                break;
            case ParkWrite park:
                if (Lock(park.WorkflowId) is { Status: WorkflowStatus.Running } parked && IsOwned(parked))
                {
                    statements.Run(
                        "update serve_workflow set parked=1 where id=$1 and (select coalesce(max(pos), 0) from serve_workflow_history where wf=$1)<=$2", park.WorkflowId, park.Position);
                }

                break;
            case ContinueWrite next:
                Continue(next);
                break;
            case BlockWrite block:
                if (Lock(block.WorkflowId) is { } blocked && IsOwned(blocked))
                    statements.Run("update serve_workflow set status=$2, error=$3, parked=0 where id=$1 and status in (0, 4)", block.WorkflowId, block.Reason is null ? 0 : 4, block.Reason?.ToJson());
                _notified.Add(block.WorkflowId);
                break;
            case ResumeWrite resume:
                Resume(resume);
                break;
            case DeleteWrite delete:
                Delete(delete);
                break;
        }
    }

    /// <summary>Appends an entry; the workflow's row is locked.</summary>
    private bool Append(HistoryRow row)
    {
        var isTimer = row.Kind == HistoryKind.TimerFired;
        if (isTimer && _writer!.Run("delete from serve_workflow_timer where wf=$1 and seq=$2 and run=$3", row.WorkflowId, row.Sequence, row.Run) == 0)
            return false;

        // A timeout may come after the event that it waited for was read; it has no result of its own then.
        var position = _writer!.Query(
            $"insert into serve_workflow_history({HistoryColumns}) values($1, (select coalesce(max(pos), 0) + 1 from serve_workflow_history where wf=$1), $2, $3, $4, $5, $6, $7, $8, $9, $10) "
            + "on conflict(wf, seq) where seq>=0 do nothing returning pos",
            reader => reader.GetInt64(0),
            row.WorkflowId, row.Run, (int)row.Kind, row.Sequence, row.Name, row.Payload, row.Started.UtcTicks, row.At.UtcTicks, row.Attempts, row.Metadata);
        if (position.Count == 0)
            return false;
        row.Position = position[0];
        if (isTimer || row.Kind is HistoryKind.ChildCompleted or HistoryKind.ChildFailed)
            _writer.Run("update serve_workflow set parked=0 where id=$1 and parked=1", row.WorkflowId);
        else if (row.Attempts > 1)
            _writer.Run("delete from serve_workflow_timer where wf=$1 and seq=$2", row.WorkflowId, row.Sequence);
        return true;
    }

    private void Start(StartWrite start)
    {
        var record = start.Record;
        var inserted = _writer!.Run(
            "insert into serve_workflow(id, name, version, run, status, input, parent, parent_seq, depth, created, metadata, owner) values($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
            record.Id, record.Name, record.Version, record.Run, record.Input, record.Parent, record.ParentSequence, record.Depth, record.Created.UtcTicks, record.Metadata, _host);
        start.Existing = inserted == 1 ? null : Find(_writer, record.Id, "");
    }

    private void End(EndWrite end)
    {
        end.ParentRow = null;
        if (Lock(end.WorkflowId) is not { } ended || (ended.Status != WorkflowStatus.Blocked && !IsOwned(ended)))
            return;
        var changed = _writer!.Query(
            "update serve_workflow set status=$3, output=$4, error=$5, ended=$6, parked=0 where id=$1 and run=$2 and status in (0, 4) returning parent, parent_seq, name",
            row => (Parent: TextOf(row, 0), Sequence: row.GetInt32(1), Name: row.GetString(2)),
            end.WorkflowId, end.Run, (int)end.Status, end.Output, end.Error?.ToJson(), end.At.UtcTicks);
        if (changed is not [var workflow])
            return;
        _notified.Add(end.WorkflowId);
        _writer.Run("delete from serve_workflow_timer where wf=$1", end.WorkflowId);
        _writer.Run("delete from serve_workflow_event_key where wf=$1", end.WorkflowId);
        if (workflow.Parent is not { } parent || Lock(parent) is not { Status: WorkflowStatus.Running or WorkflowStatus.Blocked } record)
            return;
        var row = end.CreateParentRow(record, workflow.Sequence, workflow.Name);
        if (!Append(row))
            return;
        end.ParentRow = row;
        if (!IsOwned(record))
            _notified.Add(parent);
    }

    private DeliveryOutcome Deliver(DeliverWrite deliver)
    {
        var row = deliver.Row;
        if (Lock(row.WorkflowId) is not { } record)
            return DeliveryOutcome.NotFound;

        // Without a key of the caller, its own identity: a commit whose answer was lost is repeated.
        var inserted = record.Status is WorkflowStatus.Running or WorkflowStatus.Blocked
            ? _writer!.Run("insert into serve_workflow_event_key(wf, key) values($1, $2) on conflict do nothing", row.WorkflowId, deliver.Key ?? deliver.Identity)
            : -1;
        if (inserted < 0)
            return DeliveryOutcome.Ended;
        if (inserted == 0)
            return deliver.Key is null ? DeliveryOutcome.Accepted : DeliveryOutcome.Duplicate;
        row.Position = _writer!.Query(
            $"insert into serve_workflow_history({HistoryColumns}) values($1, (select coalesce(max(pos), 0) + 1 from serve_workflow_history where wf=$1), $2, $3, -1, $4, $5, $6, $6, 0, null) returning pos",
            reader => reader.GetInt64(0), row.WorkflowId, record.Run, (int)row.Kind, row.Name, row.Payload, row.At.UtcTicks)[0];
        _writer.Run("update serve_workflow set parked=0 where id=$1 and parked=1", row.WorkflowId);
        if (!IsOwned(record))
            _notified.Add(row.WorkflowId);
        return DeliveryOutcome.Accepted;
    }

    private void Continue(ContinueWrite next)
    {
        if (!LockOpen(next.WorkflowId, next.Run))
            return;
        foreach (var position in next.Unread)
            _writer!.Run("update serve_workflow_history set run=run+1 where wf=$1 and pos=$2", next.WorkflowId, position);
        _writer!.Run("delete from serve_workflow_history where wf=$1 and run=$2 and not (kind in (7, 8, 9) and pos>$3)", next.WorkflowId, next.Run, next.Position);
        _writer.Run("update serve_workflow_history set run=$2 where wf=$1", next.WorkflowId, next.Run + 1);
        _writer.Run("delete from serve_workflow_timer where wf=$1", next.WorkflowId);
        _writer.Run("update serve_workflow set run=run+1, version=$2, input=$3, parked=0 where id=$1", next.WorkflowId, next.Version, next.Input);
    }

    private void Resume(ResumeWrite resume)
    {
        resume.Before = Lock(resume.WorkflowId);
        if (resume.Before is not { Status: WorkflowStatus.Failed or WorkflowStatus.Canceled or WorkflowStatus.Blocked } record)
            return;
        if (record.Status == WorkflowStatus.Failed)
        {
            _writer!.Run(
                "delete from serve_workflow_history where wf=$1 and kind not in (7, 8) and pos>=(select max(pos) from serve_workflow_history where wf=$1 and kind in (3, 6))", resume.WorkflowId);
        }
        else if (record.Status == WorkflowStatus.Canceled)
        {
            _writer!.Run("delete from serve_workflow_history where wf=$1 and kind not in (7, 8) and pos>=(select min(pos) from serve_workflow_history where wf=$1 and kind=9)", resume.WorkflowId);
        }

        _writer!.Run("update serve_workflow set status=0, error=null, ended=null, parked=0, owner=$2 where id=$1", resume.WorkflowId, _host);
    }

    private void Delete(DeleteWrite delete)
    {
        delete.Before = Lock(delete.WorkflowId);
        if (delete.Before is not { Status: not (WorkflowStatus.Running or WorkflowStatus.Blocked) })
            return;
        _writer!.Run("delete from serve_workflow_history where wf=$1", delete.WorkflowId);
        _writer.Run("delete from serve_workflow where id=$1", delete.WorkflowId);
    }
}
