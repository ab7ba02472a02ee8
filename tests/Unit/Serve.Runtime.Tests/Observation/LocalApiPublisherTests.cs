using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Observation;
using Serve.Runtime.Tests.State;

namespace Serve.Runtime.Tests.Observation;

public sealed class LocalApiPublisherTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"serve-announce-{Guid.NewGuid():N}");
    private readonly ProcessAnnouncementFolder<LocalApiAnnouncement> _announcements;

    // Compared with start times of processes, by the real clock.
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    public LocalApiPublisherTests() => _announcements = new(Path.Combine(_root, "serve", "clusters"));

    public void Dispose()
    {
        if (Directory.Exists(_root))
            Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Observe_ShortProgram_LeavesNoTrace()
    {
        await using var cluster = new FakeRuntimeCluster();
        await using (var observation = new LocalApiPublisher(_announcements, "", context => ClusterStateRequests.RespondAsync(cluster, context), _time))
        {
            _time.Advance(TimeSpan.FromMilliseconds(499));
            Assert.False(observation.HasBegun);
        }

        Assert.False(Directory.Exists(_root));
    }

    [Fact]
    public async Task Observe_AfterDelay_IsAnnouncedUntilDisposed()
    {
        await using var cluster = new FakeRuntimeCluster();
        await using var observation = new LocalApiPublisher(_announcements, "", context => ClusterStateRequests.RespondAsync(cluster, context), _time);
        _time.Advance(TimeSpan.FromMilliseconds(500));
        await Eventually.TrueAsync(() => _announcements.Find().Count == 1, () => "announced");
        var found = _announcements.Find().Single();
        Assert.Equal(Environment.ProcessId, found.Pid);
        var file = Directory.GetFiles(Path.Combine(_root, "serve", "clusters")).Single();
        Assert.Equal($"{Environment.ProcessId}.json", Path.GetFileName(file));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(UserStateFolder.OwnerOnly, File.GetUnixFileMode(Path.GetDirectoryName(file)!));
        }

        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri(found.Address + "/api/v0/tasks"))).StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", found.Token);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(found.Address + "/api/v0/tasks"))).StatusCode);

        await observation.DisposeAsync();
        Assert.Empty(_announcements.Find());
        Assert.False(Directory.Exists(Path.Combine(_root, "serve", "clusters")));
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri(found.Address + "/api/v0/tasks")));
    }

    [Fact]
    public async Task Observe_TwoClustersInOneProcess_AnnouncesBoth()
    {
        await using var cluster = new FakeRuntimeCluster();
        await using var one = new LocalApiPublisher(_announcements, "", context => ClusterStateRequests.RespondAsync(cluster, context), _time);
        await using var two = new LocalApiPublisher(_announcements, "", context => ClusterStateRequests.RespondAsync(cluster, context), _time);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => _announcements.Find().Count == 2, () => "both announced");
        await one.DisposeAsync();
        Assert.Single(_announcements.Find());
    }

    [Fact]
    public void Find_DeadProcess_DeletesAnnouncement()
    {
        // Above the kernel's maximum process id.
        var file = _announcements.Publish(Announced(int.MaxValue - 1, TimeProvider.System.GetUtcNow()));
        Assert.True(File.Exists(file));
        Assert.Empty(_announcements.Find());
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void Find_ReusedProcessId_DeletesAnnouncement()
    {
        var file = _announcements.Publish(Announced(Environment.ProcessId, DateTimeOffset.Parse("2020-01-01", CultureInfo.InvariantCulture)));
        Assert.Empty(_announcements.Find());
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Observe_FolderNotWritable_ClusterStillRuns()
    {
        Directory.CreateDirectory(_root);
        File.WriteAllText(Path.Combine(_root, "serve"), "a file at the folder's path");
        await using var cluster = new FakeRuntimeCluster();
        await using var observation = new LocalApiPublisher(_announcements, "", context => ClusterStateRequests.RespondAsync(cluster, context), _time);
        _time.Advance(TimeSpan.FromSeconds(1));
        await observation.DisposeAsync();
        Assert.Empty(_announcements.Find());
    }

    private static LocalApiAnnouncement Announced(int pid, DateTimeOffset started) => new(pid, "test", "http://127.0.0.1:1", "token", started);
}
