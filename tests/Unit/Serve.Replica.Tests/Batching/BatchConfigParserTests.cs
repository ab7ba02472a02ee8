using System.Text.Json.Nodes;
using Serve.Replica.Batching;

namespace Serve.Replica.Tests.Batching;

public sealed class BatchConfigParserTests
{
    private static readonly Dictionary<string, BatchQueueSettings> Declared = new()
    {
        ["One"] = new() { MaxBatchSize = 4, WaitTimeout = TimeSpan.FromSeconds(1) },
        ["Other"] = new() { MaxConcurrentBatches = 2, Adaptive = true },
    };

    [Fact]
    public void Read_OfAllAndOfOne_TheNearerWins()
    {
        // The settings of one method come first here, and still take precedence.
        var read = Read("""{"One": {"max_concurrent_batches": 3, "adaptive": true, "batch_wait_timeout_s": "2ms"}, "max_concurrent_batches": 7, "max_batch_size": 9, "batch_wait_timeout_s": 86400}""");

        Assert.Equal(new BatchQueueSettings { MaxBatchSize = 9, MaxConcurrentBatches = 3, Adaptive = true, WaitTimeout = TimeSpan.FromMilliseconds(2) }, read["One"]);
        Assert.Equal(new BatchQueueSettings { MaxBatchSize = 9, MaxConcurrentBatches = 7, Adaptive = true, WaitTimeout = TimeSpan.FromDays(1) }, read["Other"]);
    }

    [Fact]
    public void Read_Nothing_IsWhatWasDeclared() => Assert.Equal(Declared, Read("null"));

    [Theory]
    [InlineData("7", "batching must be an object with max_batch_size, batch_wait_timeout_s, max_concurrent_batches, adaptive, or with such an object per method, not 7.")]
    [InlineData("""{"One": 7}""", "batching.One must be an object with max_batch_size, batch_wait_timeout_s, max_concurrent_batches, adaptive, not 7.")]
    [InlineData("""{"Onw": {}}""", "batching has an unknown key 'Onw'. Did you mean 'One'? Known keys are max_batch_size, batch_wait_timeout_s, max_concurrent_batches, adaptive, One, Other.")]
    [InlineData("""{"max_batch_size": 0}""", "batching.max_batch_size must be an integer of at least 1, not 0.")]
    [InlineData("""{"max_batch_size": 1.5}""", "batching.max_batch_size must be an integer of at least 1, not 1.5.")]
    [InlineData("""{"One": {"max_concurrent_batches": -1}}""", "batching.One.max_concurrent_batches must be an integer of at least 1, not -1.")]
    [InlineData("""{"batch_wait_timeout_s": -1}""", "batching.batch_wait_timeout_s must be a number of seconds from 0 to 86400, or ")]
    [InlineData("""{"batch_wait_timeout_s": 86401}""", "batching.batch_wait_timeout_s must be a number of seconds from 0 to 86400, or ")]
    [InlineData("""{"batch_wait_timeout_s": "soon"}""", "batching.batch_wait_timeout_s must be a number of seconds from 0 to 86400, or ")]
    [InlineData("""{"adaptive": 1}""", "batching.adaptive must be true or false, not 1.")]
    public void Read_InvalidValue_ReportedOnce(string json, string expected)
    {
        var error = Assert.Throws<BadInputException>(() => Read(json)).Message;

        Assert.StartsWith($"user_config: {expected}", error, StringComparison.Ordinal);
        Assert.Single(error.Split(Environment.NewLine));
    }

    private static IReadOnlyDictionary<string, BatchQueueSettings> Read(string json) => BatchConfigParser.Read(JsonNode.Parse(json), Declared);
}
