using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Serve.Runtime.Observation;
using Serve.Runtime.Tests.State;

namespace Serve.Runtime.Tests.Observation;

public sealed class ClusterStateRequestsTests : IAsyncLifetime, IDisposable
{
    private readonly FakeRuntimeCluster _cluster = new();
    private readonly HttpClient _http = new();
    private LocalApiServer _server = null!;

    public Task InitializeAsync()
    {
        _server = LocalApiServer.Start("secret", context => ClusterStateRequests.RespondAsync(_cluster, context));
        _http.BaseAddress = new(_server.Address);
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        for (var number = 0; number < 250; number++)
        {
            _cluster.Tasks.Add(new()
            {
                TaskId = $"{number}",
                Name = number % 2 == 0 ? "even" : "odd",
                Function = "Demo.Work",
                State = number % 10 == 0 ? TaskPhase.Failed : TaskPhase.PendingScheduling,
            });
        }

        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Get_WithoutToken_Returns401()
    {
        _http.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.GetAsync("/api/v0/tasks")).StatusCode);
    }

    [Fact]
    public async Task Get_Tasks_ReturnsNewest100AndTotalInRayEnvelope()
    {
        var json = await _http.GetFromJsonAsync<JsonElement>("/api/v0/tasks");
        Assert.True(json.GetProperty("result").GetBoolean());
        var list = json.GetProperty("data").GetProperty("result");
        Assert.Equal((250, 250, 100), (list.GetProperty("total").GetInt32(), list.GetProperty("num_filtered").GetInt32(), list.GetProperty("num_after_truncation").GetInt32()));
        var last = list.GetProperty("result").EnumerateArray().Last();
        Assert.Equal(("249", "PENDING_SCHEDULING"), (last.GetProperty("task_id").GetString(), last.GetProperty("state").GetString()));
    }

    [Theory]
    [InlineData("?state=FAILED", 25)]
    [InlineData("?state=failed&name=even", 25)]
    [InlineData("?state=!FAILED&name=even", 100)]
    [InlineData("?filter_keys=state&filter_predicates=%3D&filter_values=FAILED", 25)]
    [InlineData("?filter_keys=state&filter_predicates=!%3D&filter_values=FAILED", 225)]
    [InlineData("?task_id=17", 1)]
    [InlineData("?state=FAILED&name=odd", 0)]
    public async Task Get_Filtered_ReturnsMatches(string query, int count) => Assert.Equal(count, (await ListAsync(query)).NumFiltered);

    [Fact]
    public async Task Get_Limit_ReturnsNewest() => Assert.Equal(["230", "240"], (await ListAsync("?state=FAILED&limit=2")).Result.Select(task => task.TaskId));

    [Theory]
    [InlineData("?offset=10&limit=3", "10,11,12")]
    [InlineData("?offset=248", "248,249")]
    [InlineData("?offset=1000", "")]
    [InlineData("?sort=task_id&limit=3", "0,1,10")]
    [InlineData("?sort=-task_id&limit=2", "99,98")]
    [InlineData("?sort=-task_id&offset=2&limit=2&name=odd", "95,93")]
    [InlineData("?sort=-start_time&limit=1", "0")]
    [InlineData("?sort=state&state=FAILED&limit=2", "0,10")]
    public async Task Get_Page_ReturnsItInOrder(string query, string expected) => Assert.Equal(expected, string.Join(',', (await ListAsync(query)).Result.Select(task => task.TaskId)));

    [Theory]
    [InlineData("?q=EVE", 125)]
    [InlineData("?q=demo.work&state=FAILED", 25)]
    [InlineData("?q=nothing", 0)]
    public async Task Get_Text_MatchesAnyField(string query, int count) => Assert.Equal(count, (await ListAsync(query)).NumFiltered);

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?offset=-1", "offset")]
    [InlineData("?sort=-colour", "Unknown filter field 'colour'")]
    [InlineData("?limit=many", "limit")]
    [InlineData("?colour=red", "Unknown filter field 'colour'")]
    [InlineData("?filter_keys=state", "the same number")]
    public async Task Get_InvalidQuery_Returns400WithReason(string query, string why)
    {
        var response = await _http.GetAsync("/api/v0/tasks" + query);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(why, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("actors", "[]")]
    [InlineData("objects", "[]")]
    [InlineData("workers", "[]")]
    [InlineData("nodes", "[]")]
    [InlineData("placement_groups", "[]")]
    public async Task Get_EveryKind_Returns200(string kind, string expected) =>
        Assert.Equal(expected, (await _http.GetFromJsonAsync<JsonElement>("/api/v0/" + kind)).GetProperty("data").GetProperty("result").GetProperty("result").GetRawText());

    [Fact]
    public async Task Get_Summaries_ReturnsCounts()
    {
        var tasks = await _http.GetFromJsonAsync<JsonElement>("/api/v0/tasks/summarize");
        Assert.Equal(25, tasks.GetProperty("data").GetProperty("result").GetProperty("Demo.Work").GetProperty("FAILED").GetInt64());
        var all = await _http.GetFromJsonAsync<StateApiResponse<ClusterSummary>>("/api/v0/summarize", ServeJson.State);
        Assert.Equal(225, all!.Data.Result.Tasks["Demo.Work"][TaskPhase.PendingScheduling]);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync("/api/v0/actors/summarize")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync("/api/v0/objects/summarize")).StatusCode);
    }

    [Fact]
    public async Task Get_TimelineAndMemory_Returns200()
    {
        Assert.Equal(JsonValueKind.Array, (await _http.GetFromJsonAsync<JsonElement>("/api/v0/timeline")).GetProperty("traceEvents").ValueKind);
        Assert.Equal(Environment.ProcessId, (await _http.GetFromJsonAsync<StateApiResponse<ClusterMemory>>("/api/v0/memory", ServeJson.State))!.Data.Result.Pid);
    }

    private async Task<StateList<TaskState>> ListAsync(string query) =>
        (await _http.GetFromJsonAsync<StateApiResponse<StateList<TaskState>>>("/api/v0/tasks" + query, ServeJson.State))!.Data.Result;
}
