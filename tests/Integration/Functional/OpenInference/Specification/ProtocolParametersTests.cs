namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_sequence.md and extension_parameters.md: parameters that have no meaning for models without state, or affect queues only.</summary>
public sealed class ProtocolParametersTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Parameters_SequencePriorityTimeoutAndCustom_DoNotChangeTheOutputs(ProtocolTransport transport)
    {
        var expected = (await By(transport).InferAsync("digits", [Pixels])).Outputs;
        foreach (var (start, end) in new[] { (true, false), (false, false), (false, true) })
        {
            var parameters = new Dictionary<string, object>
            {
                ["sequence_id"] = 42,
                ["sequence_start"] = start,
                ["sequence_end"] = end,
                ["priority"] = 1,
                ["timeout"] = 60_000_000,
                ["my_custom_parameter"] = "a",
            };
            Assert.Equal(expected, (await By(transport).InferAsync("digits", [Pixels], parameters: parameters)).Outputs);
        }
    }
}
