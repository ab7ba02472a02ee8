using System.Net;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>Requests that were cut and changed on their way.</summary>
[Collection(InferenceCollection.Name)]
public sealed class MalformedRequestTests(InferenceNode node)
{
    [Fact]
    public async Task Infer_BodiesCutAndChanged_NeverWorseThan400()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var json = Samples.DigitsRequest.ToCharArray();
            for (var change = random.Next(4); change >= 0; change--)
                json[random.Next(json.Length)] = "{}[],:\"0-9e"[random.Next(11)];
            using var content = new StringContent(new(json, 0, random.Next(json.Length)));
            using var response = await node.Http.PostAsync("/v2/models/digits/infer", content);
            Assert.True(response.StatusCode is HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {new string(json)}");
        }

        await node.PostAsync("/v2/models/digits/infer", Samples.DigitsRequest);
    }
}
