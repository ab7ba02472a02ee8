using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Serve.Workflows.Execution;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Tests.Storage;

/// <summary>The SQLite store and its failures.</summary>
public sealed class StoreTests
{
    [Fact]
    public async Task Start_FileOfAnotherHost_WaitsUntilItIsReleased()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Approver.Start(new() { Id = "kept" });
        await using var second = await Cluster.Init(new() { NumCpus = 2, Observable = false });

        var waiting = second.StartWorkflows(new() { Storage = fixture.Database, StorageWait = Timeout.InfiniteTimeSpan });
        await Task.Delay(300);
        Assert.False(waiting.IsCompleted);
        await fixture.Host.DisposeAsync();

        await using var next = await waiting.SoonAsync();
        Assert.Equal(WorkflowStatus.Running, next.GetStatus(handle.Id));
    }

    [Fact]
    public async Task Open_SecondHost_IsRefusedWithProcessAndMachine()
    {
        await using var fixture = await WorkflowFixture.Start();
        var second = new SqliteWorkflowStore(fixture.Database);

        var failure = Assert.Throws<WorkflowStorageInUseException>(second.Open);

        Assert.Contains($"is in use by process {Environment.ProcessId} on {Environment.MachineName}. One SQLite file serves one host", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NewerSchema_NamesBothVersions()
    {
        using var folder = new Folder();
        Execute(folder.Database, "create table x(a); pragma user_version=7;");

        var failure = Assert.Throws<WorkflowStorageException>(new SqliteWorkflowStore(folder.Database).Open);

        Assert.Contains("has schema version 7, but this version of Serve.Workflows supports versions up to 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_DatabaseOfAnotherProgram_IsRefused()
    {
        using var folder = new Folder();
        Execute(folder.Database, "create table x(a);");

        Assert.Contains("is a SQLite database of another program", Assert.Throws<WorkflowStorageException>(new SqliteWorkflowStore(folder.Database).Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_DamagedFile_SaysSoAndReleasesTheLock()
    {
        using var folder = new Folder();
        File.WriteAllText(folder.Database, new string('x', 10_000));

        var failure = Assert.Throws<WorkflowStorageException>(new SqliteWorkflowStore(folder.Database).Open);
        File.Delete(folder.Database);
        await using var store = new SqliteWorkflowStore(folder.Database);
        store.Open();

        Assert.Contains("is damaged or not a SQLite database", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Restore it from a backup", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderInsteadOfFile_SaysSo()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder.Database);

        Assert.Contains("cannot be opened", Assert.Throws<WorkflowStorageException>(new SqliteWorkflowStore(folder.Database).Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nfs", true)]
    [InlineData("NFS4", true)]
    [InlineData("cifs", true)]
    [InlineData("ext4", false)]
    [InlineData("overlay", false)]
    public void CheckFileSystem_NetworkFormats_AreRefused(string format, bool isRefused)
    {
        var failure = Record.Exception(() => StoreFileLock.CheckFileSystem("/data/workflows.db", format));

        Assert.Equal(isRefused, failure is WorkflowStorageException);
        if (isRefused)
            Assert.Contains($"must be on a local file system, but was on '{format}'", failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_DiskFull_WaitsReportsAndLosesNothing()
    {
        using var folder = new Folder();
        var store = new FullDiskStore(new SqliteWorkflowStore(folder.Database));
        await using var cluster = await Cluster.Init(new() { Observable = false });
        using var logs = new ListLogger();
        await using var host = await cluster.StartWorkflows(new() { Store = store, LoggerFactory = logs });
        var handle = await host.SumOfEvents.Start(2, new() { Id = "full" });
        await handle.SendEvent("number", 1);

        store.IsFull = true;
        var sending = handle.SendEvent("number", 2);
        await Eventually.TrueAsync(() => host.StorageFault is not null);
        Assert.False(sending.IsCompleted);
        store.IsFull = false;
        await sending.SoonAsync();

        Assert.Equal(3, await handle.GetResult().SoonAsync());
        Assert.Null(host.StorageFault);
        Assert.Contains(logs.Messages, message => message.Contains("failed and is repeated until it succeeds; 1 changes wait", StringComparison.Ordinal));
        Assert.Contains(logs.Messages, message => message.Contains("accepts commits again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Commit_FileDeletedUnderTheHost_FailsWithTheReason()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.SumOfEvents.Start(2);
        var result = handle.GetResult();

        File.Delete(fixture.Database);
        var failure = await Assert.ThrowsAsync<WorkflowStorageException>(() => handle.SendEvent("number", 1).SoonAsync());

        Assert.Contains("was deleted or moved while it was in use", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<WorkflowStorageException>(() => result.SoonAsync());
    }

    [Fact]
    public void Clock_SetBack_NeverGoesBack()
    {
        var time = new ShiftedClock();
        var clock = new DurableClock(time, DateTimeOffset.MinValue);
        time.Advance(TimeSpan.FromHours(1));
        var before = clock.Now;

        time.Shift = -TimeSpan.FromDays(365);
        Assert.Equal(before, clock.Now);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(before + TimeSpan.FromMinutes(5), clock.Now);

        var restarted = new DurableClock(time, before + TimeSpan.FromMinutes(5));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(before + TimeSpan.FromMinutes(6), restarted.Now);
    }

    [Fact]
    public async Task Sleep_OverRestartAndClockSetBack_EndsAfterItsDuration()
    {
        var time = new ShiftedClock();
        await using var fixture = await WorkflowFixture.Start(new() { TimeProvider = time });
        var handle = await fixture.Host.Sleeper.Start(3600, new() { Id = "sleeper" });
        await Eventually.TrueAsync(() => fixture.Host.Engine.Store.ReadTimers("sleeper").Count == 1);

        time.Advance(TimeSpan.FromMinutes(30));
        await fixture.Restart(new() { TimeProvider = time });
        time.Shift = -TimeSpan.FromDays(365);
        time.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(WorkflowStatus.Running, fixture.Host.GetStatus("sleeper"));

        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            return fixture.Host.GetStatus("sleeper") == WorkflowStatus.Successful;
        });
        Assert.Equal("slept", await fixture.Host.GetOutput<string>("sleeper").SoonAsync());
    }

    [Fact]
    public async Task LargeResults_AreStoredOnceByContentAndDeletedWithTheirWorkflow()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxInlinePayload = 1000 });
        var folder = fixture.Database + ".payloads";
        var handle = await fixture.Host.LargeResults.Start(200_000, new() { Id = "large" });
        await Eventually.TrueAsync(() => fixture.Host.GetHistory("large").Count == 2);
        Assert.Single(Directory.GetFiles(folder));

        File.WriteAllText(Path.Combine(folder, "0000.json"), "left by a crash");
        await fixture.Restart(new() { MaxInlinePayload = 1000 });
        Assert.Single(Directory.GetFiles(folder));
        await fixture.Host.SendEvent("large", "go", 1);

        Assert.Equal(400_000, await fixture.Host.GetOutput<int>("large").SoonAsync());
        Assert.Equal(200_000, (await fixture.Host.GetOutput<string>("large", "Large_1")).Length);
        await fixture.Host.Delete("large");
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task Retention_EndedWorkflows_AreDeletedAfterTheirTime()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var fixture = await WorkflowFixture.Start(new() { TimeProvider = time });
        await fixture.Host.Chain.Run(1, new() { Id = "old" }).SoonAsync();
        await fixture.Host.SumOfEvents.Start(1, new() { Id = "still-open" });

        time.Advance(TimeSpan.FromDays(7) + TimeSpan.FromHours(2));

        await Eventually.TrueAsync(() => fixture.Host.Engine.Store.Find("old") is null);
        Assert.Empty(fixture.Host.Engine.Store.ReadHistory("old"));
        Assert.Equal(WorkflowStatus.Running, fixture.Host.GetStatus("still-open"));
    }

    [Fact]
    public async Task Idle_ManyWaitingWorkflows_LeaveMemoryAndAreNotLoadedAtStart()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxIdleInMemory = 5 });
        var host = fixture.Host;
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => host.SumOfEvents.Start(2, new() { Id = $"idle-{i}" })));
        await Eventually.TrueAsync(() => host.InMemory <= 5, () => $"{host.InMemory} in memory");
        await Eventually.TrueAsync(() => host.Engine.Store.ReadRunnable("", 1000).Count <= 5);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => host.SendEvent($"idle-{i}", "number", i)));
        host = await fixture.Restart(new() { MaxIdleInMemory = 5 });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => host.SendEvent($"idle-{i}", "number", 1)));

        for (var i = 0; i < 200; i++)
            Assert.Equal(i + 1, await host.GetOutput<long>($"idle-{i}").SoonAsync());
    }

    private static void Execute(string database, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of the tests.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private sealed class Folder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("serve-store-").FullName;

        public string Database => Path.Combine(_path, "workflows.db");

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }

    /// <summary>A clock whose time of day can be set; its monotonic time is not affected.</summary>
    private sealed class ShiftedClock() : FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
        public TimeSpan Shift { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;

        public override long GetTimestamp() => base.GetUtcNow().UtcTicks;
    }

    /// <summary>A store whose disk is full while the test says so.</summary>
    private sealed class FullDiskStore(WorkflowStore inner) : WorkflowStore
    {
        private volatile bool _isFull;

        public bool IsFull
        {
            set => _isFull = value;
        }

        public override string Name => inner.Name;

        public override string? PayloadFolder => inner.PayloadFolder;

        public override DateTimeOffset LastTime => inner.LastTime;

        public override void Open() => inner.Open();

        public override void Commit(IReadOnlyList<StoreWrite> writes, DateTimeOffset now)
        {
            if (_isFull)
                throw new SqliteException("database or disk is full", 13);
            inner.Commit(writes, now);
        }

        public override bool IsTransient(Exception failure) => inner.IsTransient(failure);

        public override WorkflowRecord? Find(string workflowId) => inner.Find(workflowId);

        public override IReadOnlyList<HistoryRow> ReadHistory(string workflowId, long after = 0) => inner.ReadHistory(workflowId, after);

        public override IReadOnlyList<WorkflowTimer> ReadTimers(string workflowId) => inner.ReadTimers(workflowId);

        public override IReadOnlyList<WorkflowTimer> ReadTimersDue(DateTimeOffset before, int limit) => inner.ReadTimersDue(before, limit);

        public override IReadOnlyList<WorkflowRecord> List(WorkflowStatus? status, string after, int limit) => inner.List(status, after, limit);

        public override IReadOnlyList<string> ReadRunnable(string after, int limit) => inner.ReadRunnable(after, limit);

        public override IReadOnlyList<string> ReadEnded(DateTimeOffset before, int limit) => inner.ReadEnded(before, limit);

        public override IReadOnlyCollection<string> ReadPayloadHashes() => inner.ReadPayloadHashes();

        public override IReadOnlyList<string> TakeUnusedPayloads() => inner.TakeUnusedPayloads();

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
