using Microsoft.Extensions.Time.Testing;
using Serve.Controller.Logs;
using Serve.Controller.Store;

namespace Serve.Controller.Tests;

public sealed class ReplicaLogReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serve-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0, "")]
    [InlineData(2, "4,5")]
    [InlineData(4, "2,3,4,5")]
    [InlineData(100, "1,2,3,4,5")]
    public void ReadAvailable_RotatedFiles_ReturnsTheLastLinesAcrossThem(int tail, string expected)
    {
        Write("replica.log", "1\n2\n", 0);
        Write("replica_001.log", "3\n", 1);
        Write("replica_002.log", "4\n5\n", 2);
        using var reader = new LogFolderTailReader(_folder, tail);
        Assert.Equal(expected, string.Join(",", reader.ReadAvailable()));
        Assert.Empty(reader.ReadAvailable());
    }

    [Fact]
    public void ReadAvailable_AppendedThenRotatedToANewFile_LosesNothing()
    {
        Write("replica.log", "1\n", 0);
        using var reader = new LogFolderTailReader(_folder, 10);
        Assert.Equal(["1"], reader.ReadAvailable());
        File.AppendAllText(Path.Combine(_folder, "replica.log"), "2\nhal");
        Assert.Equal(["2"], reader.ReadAvailable());
        File.AppendAllText(Path.Combine(_folder, "replica.log"), "f\n");
        Write("replica_001.log", "3\n", 5);
        Assert.Equal(["half", "3"], reader.ReadAvailable());
    }

    [Fact]
    public void ReadAvailable_TruncatedFile_StartsAgain()
    {
        Write("replica.log", "1\n2\n3\n", 0);
        using var reader = new LogFolderTailReader(_folder, 1);
        Assert.Equal(["3"], reader.ReadAvailable());
        File.WriteAllText(Path.Combine(_folder, "replica.log"), "4\n");
        Assert.Equal(["4"], reader.ReadAvailable());
    }

    [Fact]
    public void ReadAvailable_RenamedAndRecreatedFile_ReadsTheNewFile()
    {
        Write("replica.log", "1\n", 0);
        using var reader = new LogFolderTailReader(_folder, 1);
        Assert.Equal(["1"], reader.ReadAvailable());
        File.Move(Path.Combine(_folder, "replica.log"), Path.Combine(_folder, "replica.log.1"));
        Write("replica.log", "2 is longer than the old content\n", 3);
        Assert.Equal(["2 is longer than the old content"], reader.ReadAvailable());
    }

    [Fact]
    public async Task ReadAsync_NewReplicaWhileFollowing_IsIncludedWithItsPrefix()
    {
        using var state = NodeStateDirectory.Open(_folder);
        Log(state, "aaaaaaaa", "one\n");
        var clock = new FakeTimeProvider();
        using var stop = new CancellationTokenSource();
        var lines = new ReplicaLogReader(new ReplicaLogSelection(state, "app", null, null), clock).ReadAsync(10, follow: true, stop.Token).GetAsyncEnumerator();
        Assert.True(await lines.MoveNextAsync());
        Assert.Equal("one", lines.Current.Text);
        Log(state, "bbbbbbbb", "two\n");
        var next = lines.MoveNextAsync().AsTask();
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal("[dep#bbbbbbbb] two", lines.Current.Text);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await lines.MoveNextAsync());
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    public void Folders_NamesWithPathCharacters_MatchNothing(string name)
    {
        using var state = NodeStateDirectory.Open(_folder);
        Log(state, "aaaaaaaa", "one\n");
        Assert.Empty(new ReplicaLogSelection(state, name, null, null).Folders());
        Assert.Empty(new ReplicaLogSelection(state, "app", name, null).Folders());
    }

    private static void Log(NodeStateDirectory state, string suffix, string text)
    {
        var place = state.Replicas.LogsOf(new(new("app", "dep"), suffix));
        Directory.CreateDirectory(place);
        File.WriteAllText(Path.Combine(place, "replica.log"), text);
    }

    private void Write(string name, string text, int minute)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        File.SetLastWriteTimeUtc(path, new DateTime(2026, 1, 1, 0, minute, 0, DateTimeKind.Utc));
    }
}
