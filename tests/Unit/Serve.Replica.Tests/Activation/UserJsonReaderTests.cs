using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Replica.Activation;

namespace Serve.Replica.Tests.Activation;

public sealed class UserJsonReaderTests
{
    [Fact]
    public void KeysOf_Type_AreWhatAConfigFileMayHave()
    {
        Assert.Equal(["max_runs", "named", "set"], UserJsonReader.KeysOf(typeof(Settings)));
        Assert.Equal(
            ["execution_provider", "intra_op_threads", "max_concurrent_runs", "memory_limit", "optimization", "provider_options", "session_config", "warm_up_runs"],
            UserJsonReader.KeysOf(typeof(OnnxOptionsConfig))!.Order());
    }

    [Theory]
    [InlineData(typeof(Dictionary<string, int>))]
    [InlineData(typeof(JsonElement))]
    [InlineData(typeof(int))]
    [InlineData(typeof(Anything))]
    public void KeysOf_TypeThatTakesAnyKey_IsNull(Type type) => Assert.Null(UserJsonReader.KeysOf(type));

    private sealed record Settings(int MaxRuns, [property: JsonPropertyName("named")] string Other)
    {
        public int Set { get; set; }

        public int Computed => MaxRuns + Set;

        [JsonIgnore]
        public int Ignored { get; set; }
    }

    private sealed class Anything
    {
        public int One { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Others { get; } = [];
    }
}
