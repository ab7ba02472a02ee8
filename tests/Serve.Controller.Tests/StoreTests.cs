using Microsoft.Data.Sqlite;

namespace Serve.Controller.Tests;

public sealed class StoreTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("serve-test-").FullName;

    private string Database => Path.Combine(folder, "serve.db");

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Open_Damaged_SaysSoAndLeavesTheFileAlone()
    {
        File.WriteAllText(Database, new string('x', 8192));
        var before = File.ReadAllBytes(Database);
        var error = Assert.Throws<StateStoreException>(() => SqliteStateStore.Open(Database));
        Assert.Contains("damaged", error.Message);
        Assert.Contains(Database, error.Message);
        Assert.Equal(before, File.ReadAllBytes(Database));
    }

    [Fact]
    public void Open_PagesOverwritten_SaysDamagedAndChangesNothing()
    {
        using (SqliteStateStore.Open(Database))
        {
        }

        var bytes = File.ReadAllBytes(Database);
        Array.Fill(bytes, (byte)0xAB, 4096, 4096);
        File.WriteAllBytes(Database, bytes);
        var error = Assert.Throws<StateStoreException>(() => SqliteStateStore.Open(Database));
        Assert.Contains("damaged", error.Message);
        Assert.Equal(bytes, File.ReadAllBytes(Database));
    }

    [Fact]
    public void Open_NewerSchema_IsRefused()
    {
        using (SqliteStateStore.Open(Database))
        {
        }

        Execute("PRAGMA user_version = 99");
        Assert.Contains("newer version", Assert.Throws<StateStoreException>(() => SqliteStateStore.Open(Database)).Message);
    }

    [Fact]
    public void Open_ForeignDatabase_IsRefused()
    {
        Execute("CREATE TABLE theirs (x)");
        Assert.Contains("not a database of this program", Assert.Throws<StateStoreException>(() => SqliteStateStore.Open(Database)).Message);
    }

    [Fact]
    public void Save_DatabaseFull_SaysSoAndKeepsWhatWasThere()
    {
        using var store = SqliteStateStore.Open(Database);
        store.Save([Application("kept", 10)], []);
        var connection = (SqliteConnection)typeof(SqliteStateStore).GetField("connection", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(store)!;
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "PRAGMA max_page_count = 8";
            command.ExecuteNonQuery();
        }

        Assert.Contains("disk is full", Assert.Throws<StateStoreException>(() => store.Save([Application("big", 1_000_000)], ["kept"])).Message);
        Assert.Equal("kept", Assert.Single(store.Load()).Name);
    }

    [Fact]
    public void Save_ThenOpenAgain_LoadsTheSameAndCountsTheLife()
    {
        using (var store = SqliteStateStore.Open(Database))
        {
            store.Save([Application("a", 3), Application("b", 3)], []);
            store.Save([], ["b"]);
            Assert.Equal(1, store.Epoch);
        }

        using var again = SqliteStateStore.Open(Database);
        Assert.Equal(2, again.Epoch);
        var loaded = Assert.Single(again.Load());
        Assert.Equal(("a", "Counter@1"), (loaded.Name, loaded.Target.Package.Hash));
        Assert.True(Control.RevisionBuilder.AreSame(loaded.Target, Application("a", 3).Target));
    }

    [Fact]
    public void OpenDirectory_New_IsItsOwnersAlone()
    {
        var root = Path.Combine(folder, "state");
        using var state = StateDirectory.Open(root);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root));
        Assert.True(Directory.Exists(state.Run));
    }

    [Fact]
    public void OpenDirectory_HeldByAnother_SaysWhich()
    {
        using var state = StateDirectory.Open(folder);
        var error = Assert.Throws<StateStoreException>(() => StateDirectory.Open(folder));
        Assert.Contains($"process {Environment.ProcessId}", error.Message);
    }

    [Fact]
    public void OpenDirectory_AfterCleanEnd_OpensAgainAndRunIsGone()
    {
        string run;
        using (var state = StateDirectory.Open(folder))
            run = state.Run;
        Assert.False(Directory.Exists(run));
        using var again = StateDirectory.Open(folder);
    }

    [Fact]
    public void OpenDirectory_Unwritable_SaysSo()
    {
        // Root may write anywhere, so the unwritable place is one that nobody can make.
        var error = Assert.Throws<StateStoreException>(() => StateDirectory.Open("/proc/serve-state"));
        Assert.Contains("cannot be written", error.Message);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static Control.DesiredApplication Application(string name, int size) => new()
    {
        Name = name,
        Target = Control.RevisionBuilder.Build(
            ControllerFixture.Config(name, "Counter@1", settings: options => options with { UserConfig = new() { ["text"] = new string('x', size) } }),
            FakeApplicationSource.Package("Counter@1", "Counter"), IsolationMode.None, null),
    };
}
